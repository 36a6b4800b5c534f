//! Compressed instructions (C with F): expansion to the 32-bit form.
//!
//! In: a 16-bit instruction. Out: the 32-bit instruction of the same effect, or `None` if it is reserved.
//! Source: RISC-V unprivileged specification, chapter "C".

/// The 32-bit instruction that a compressed one stands for.
pub fn expand(c: u16, float: bool) -> Option<u32> {
    let c = u32::from(c);
    match c & 3 {
        0 => quadrant0(c, float),
        1 => quadrant1(c),
        _ => quadrant2(c, float),
    }
}

/// Bits `hi..=lo` of `c`, placed at `to`.
fn bits(c: u32, hi: u32, lo: u32, to: u32) -> u32 {
    ((c >> lo) & ((1 << (hi - lo + 1)) - 1)) << to
}

fn i_type(imm: u32, rs1: u32, f3: u32, rd: u32, op: u32) -> u32 {
    (imm & 0xfff) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op
}

fn s_type(imm: u32, rs2: u32, rs1: u32, f3: u32, op: u32) -> u32 {
    (imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | (imm & 0x1f) << 7 | op
}

fn r_type(f7: u32, rs2: u32, rs1: u32, f3: u32, rd: u32) -> u32 {
    f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x33
}

fn sign(value: u32, width: u32) -> u32 {
    let shift = 32 - width;
    (((value << shift) as i32) >> shift) as u32
}

fn quadrant0(c: u32, float: bool) -> Option<u32> {
    let (rd, rs1) = (8 + bits(c, 4, 2, 0), 8 + bits(c, 9, 7, 0));
    let word = bits(c, 12, 10, 3) | bits(c, 6, 6, 2) | bits(c, 5, 5, 6);
    match c >> 13 {
        0 => {
            let imm = bits(c, 12, 11, 4) | bits(c, 10, 7, 6) | bits(c, 6, 6, 2) | bits(c, 5, 5, 3);
            (imm != 0).then(|| i_type(imm, 2, 0, rd, 0x13))
        }
        2 => Some(i_type(word, rs1, 2, rd, 0x03)),
        3 if float => Some(i_type(word, rs1, 2, rd, 0x07)),
        6 => Some(s_type(word, rd, rs1, 2, 0x23)),
        7 if float => Some(s_type(word, rd, rs1, 2, 0x27)),
        _ => None,
    }
}

fn jump_offset(c: u32) -> u32 {
    let imm = bits(c, 12, 12, 11)
        | bits(c, 11, 11, 4)
        | bits(c, 10, 9, 8)
        | bits(c, 8, 8, 10)
        | bits(c, 7, 7, 6)
        | bits(c, 6, 6, 7)
        | bits(c, 5, 3, 1)
        | bits(c, 2, 2, 5);
    sign(imm, 12)
}

fn jal(imm: u32, rd: u32) -> u32 {
    bits(imm, 20, 20, 31)
        | bits(imm, 10, 1, 21)
        | bits(imm, 11, 11, 20)
        | bits(imm, 19, 12, 12)
        | rd << 7
        | 0x6f
}

fn branch(c: u32, f3: u32) -> u32 {
    let imm =
        bits(c, 12, 12, 8) | bits(c, 11, 10, 3) | bits(c, 6, 5, 6) | bits(c, 4, 3, 1) | bits(c, 2, 2, 5);
    let imm = sign(imm, 9);
    let rs1 = 8 + bits(c, 9, 7, 0);
    bits(imm, 12, 12, 31)
        | bits(imm, 10, 5, 25)
        | rs1 << 15
        | f3 << 12
        | bits(imm, 4, 1, 8)
        | bits(imm, 11, 11, 7)
        | 0x63
}

fn quadrant1(c: u32) -> Option<u32> {
    let rd = bits(c, 11, 7, 0);
    let imm = sign(bits(c, 12, 12, 5) | bits(c, 6, 2, 0), 6);
    match c >> 13 {
        0 => Some(i_type(imm, rd, 0, rd, 0x13)),
        1 => Some(jal(jump_offset(c), 1)),
        2 => Some(i_type(imm, 0, 0, rd, 0x13)),
        3 if rd == 2 => {
            let imm = bits(c, 12, 12, 9)
                | bits(c, 6, 6, 4)
                | bits(c, 5, 5, 6)
                | bits(c, 4, 3, 7)
                | bits(c, 2, 2, 5);
            (imm != 0).then(|| i_type(sign(imm, 10), 2, 0, 2, 0x13))
        }
        3 => (imm != 0).then_some(imm << 12 | rd << 7 | 0x37),
        4 => arithmetic(c, imm),
        5 => Some(jal(jump_offset(c), 0)),
        6 => Some(branch(c, 0)),
        _ => Some(branch(c, 1)),
    }
}

fn arithmetic(c: u32, imm: u32) -> Option<u32> {
    let (rd, rs2) = (8 + bits(c, 9, 7, 0), 8 + bits(c, 4, 2, 0));
    match (bits(c, 11, 10, 0), bits(c, 12, 12, 0), bits(c, 6, 5, 0)) {
        (0, 0, _) => Some(i_type(imm & 31, rd, 5, rd, 0x13)),
        (1, 0, _) => Some(i_type(imm & 31 | 0x400, rd, 5, rd, 0x13)),
        (2, _, _) => Some(i_type(imm, rd, 7, rd, 0x13)),
        (3, 0, 0) => Some(r_type(0x20, rs2, rd, 0, rd)),
        (3, 0, 1) => Some(r_type(0, rs2, rd, 4, rd)),
        (3, 0, 2) => Some(r_type(0, rs2, rd, 6, rd)),
        (3, 0, 3) => Some(r_type(0, rs2, rd, 7, rd)),
        _ => None,
    }
}

fn quadrant2(c: u32, float: bool) -> Option<u32> {
    let (rd, rs2) = (bits(c, 11, 7, 0), bits(c, 6, 2, 0));
    let load = bits(c, 12, 12, 5) | bits(c, 6, 4, 2) | bits(c, 3, 2, 6);
    let store = bits(c, 12, 9, 2) | bits(c, 8, 7, 6);
    match (c >> 13, bits(c, 12, 12, 0)) {
        (0, 0) => Some(i_type(rs2, rd, 1, rd, 0x13)),
        (2, _) => (rd != 0).then(|| i_type(load, 2, 2, rd, 0x03)),
        (3, _) if float => Some(i_type(load, 2, 2, rd, 0x07)),
        (4, 0) if rs2 == 0 => (rd != 0).then(|| i_type(0, rd, 0, 0, 0x67)),
        (4, 0) => Some(r_type(0, rs2, 0, 0, rd)),
        (4, 1) if rs2 == 0 && rd == 0 => Some(0x0010_0073),
        (4, 1) if rs2 == 0 => Some(i_type(0, rd, 0, 1, 0x67)),
        (4, 1) => Some(r_type(0, rs2, rd, 0, rd)),
        (6, _) => Some(s_type(store, rs2, 2, 2, 0x23)),
        (7, _) if float => Some(s_type(store, rs2, 2, 2, 0x27)),
        _ => None,
    }
}

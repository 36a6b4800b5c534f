use super::deepest;

fn of(text: &str, name: &str) -> Result<u64, String> {
    deepest(text, &[name.to_string()])
}

const THUMB: &str = "
000000fe <run>:
     fe:\tbfcsel\t0, fffff710 <absent+0x10>, 4, mi
     100:\tstmdb\tsp!, {r4, r5, lr}
     104:\tvpush\t{d8-d9}
     108:\tsub.w\tsp, sp, #400\t@ 0x190
     10c:\tbl\t200 <leaf>
     110:\tcbz\tr0, 118 <run+0x18>
     112:\tbl\t300 <library>
     118:\tadd\tsp, #400\t@ 0x190
     11c:\tvpop\t{d8-d9}
     120:\tpop\t{r4, r5, pc}

00000200 <leaf>:
     200:\tcmp\tr0, #3
     202:\tit\teq
     204:\tbxeq\tlr
     206:\tpush\t{r4, lr}
     208:\ttbb\t[pc, r0]
     20c:\t.word\t0x12345678
     210:\tldr\tr4, [sp, #4]
     212:\tpop\t{r4, pc}
     214:\tpop\t{r4, pc}
     216:\tnop
     218:\t.word\t0x12345678
     21c:\tpop\t{r4, pc}

00000280 <tables>:
     280:\tpush\t{r4, lr}
     282:\ttbb\t[pc, r0]
     286:\t.short\t0x0302
     288:\tbl\t200 <leaf>
     28c:\ttbh\t[pc, r1, lsl #1]
     290:\t.short\t0x0002
     292:\tpop\t{r4, pc}
     294:\tb.n\t292 <tables+0x12>

00000300 <library>:
     300:\tstr.w\tlr, [sp, #-8]!
     304:\tldr.w\tpc, [sp], #8

00000400 <pointer>:
     400:\tblx\tr3

00000500 <variable>:
     500:\tsub.w\tsp, sp, r3
";

#[test]
fn the_deepest_way_counts() {
    assert_eq!(of(THUMB, "leaf"), Ok(8));
    assert_eq!(of(THUMB, "tables"), Ok(8 + 8));
    assert_eq!(of(THUMB, "run"), Ok(12 + 16 + 400 + 8));
}

#[test]
fn what_is_not_understood_has_no_bound() {
    let said = |text: &str, name: &str, why: &str| {
        let found = of(text, name).unwrap_err();
        assert!(found.contains(why), "{found}");
    };
    said(THUMB, "pointer", "pointer (at 0x400) calls through a pointer");
    said(THUMB, "variable", "changes the stack pointer by `sub.w sp, sp, r3`");
    said(THUMB, "absent", "no function absent");
    let again = THUMB.replace("bl\t200 <leaf>", "bl\tfe <run>");
    said(&again, "run", "run calls itself");
    let uneven = THUMB.replace("add\tsp, #400", "add\tsp, #396");
    said(&uneven, "run", "returns with 4 bytes");
    let loops = THUMB.replace("cbz\tr0, 118 <run+0x18>", "cbz\tr0, 108 <run+0x8>");
    said(&loops, "run", "two depths");
}

#[test]
fn frames_of_risc_v() {
    let text = "
80000000 <run>:
80000000:\tlui\tt0,0xffffe
80000004:\tadd\tsp,sp,-32
80000006:\tadd\tt0,t0,16 # ffffe010 <x>
8000000a:\tadd\tsp,sp,t0
8000000c:\tauipc\tra,0x1
80000010:\tjalr\t-16(ra) # 80001000 <switch>
80000014:\tlui\tt0,0x2
80000018:\tadd\tt0,t0,-16
8000001c:\tadd\tsp,sp,t0
8000001e:\tadd\tsp,sp,32
80000020:\tret

80001000 <switch>:
80001000:\tadd\tsp,sp,-16
80001002:\tbltu\ta0,a1,80001008 <switch+0x8>
80001006:\tjr\ta5
80001008:\tadd\tsp,sp,16
8000100a:\tret
8000100c:\tli\ta0,1
8000100e:\tj\t80001008 <switch+0x8>
";
    assert_eq!(of(text, "run"), Ok(32 + 8176 + 16));
    let saved = "
80002000 <run>:
80002000:\tjal\tt0,80003000 <__riscv_save_4>
80002004:\tbeqz\ta0,8000200a <run+0xa>
80002006:\tj\t80003010 <__riscv_restore_4>
8000200a:\tebreak

80003010 <__riscv_restore_4>:
80003010:\tadd\tsp,sp,32
80003014:\tret
";
    assert_eq!(of(saved, "run"), Ok(64));
    let pointer = text.replace("8000100c:\tli\ta0,1\n8000100e:\tj\t80001008 <switch+0x8>\n", "");
    assert!(of(&pointer, "run").unwrap_err().contains("jumps through a pointer"));
}

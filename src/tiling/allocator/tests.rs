//! Tests of the allocator as a whole: against brute force, and of the validator against mutations.

use super::*;
use proptest::prelude::*;

fn buffers(rows: &[(i64, i64, u64)]) -> Vec<Buffer> {
    let buffer =
        |(index, &(lower, upper, size)): (usize, &_)| Buffer::new(index.to_string(), lower, upper, size);
    rows.iter().enumerate().map(buffer).collect()
}

fn problem(rows: &[(i64, i64, u64)], capacity: u64) -> Problem {
    Problem { buffers: buffers(rows), capacity }
}

/// Tries every offset of every buffer.
fn fits(buffers: &[Buffer], capacity: u64, offsets: &mut Vec<u64>) -> bool {
    let Some(buffer) = buffers.get(offsets.len()) else {
        return true;
    };
    for offset in 0..=capacity.saturating_sub(buffer.size) {
        if offset % buffer.alignment != 0 || buffer.fixed_offset.is_some_and(|f| f != offset) {
            continue;
        }
        let free = buffers.iter().zip(offsets.iter()).all(|(other, &at)| {
            buffer.lower >= other.upper
                || other.lower >= buffer.upper
                || offset + buffer.size <= at
                || at + other.size <= offset
        });
        if free && buffer.size <= capacity {
            offsets.push(offset);
            if fits(buffers, capacity, offsets) {
                return true;
            }
            offsets.pop();
        }
    }
    false
}

fn brute_force(buffers: &[Buffer], limit: u64) -> Option<u64> {
    (0..=limit).find(|&capacity| fits(buffers, capacity, &mut Vec::new()))
}

fn row(times: i64, sizes: u64) -> impl Strategy<Value = Buffer> {
    let alignment = prop_oneof![4 => Just(1u64), 1 => Just(2), 1 => Just(4)];
    (0..times, 1..times, 1..sizes, alignment).prop_map(|(lower, length, size, alignment)| {
        Buffer::new("b", lower, lower + length, size).aligned(alignment)
    })
}

fn tiny() -> impl Strategy<Value = Vec<Buffer>> {
    let fixed = (any::<bool>(), 0..6u64);
    (prop::collection::vec(row(5, 5), 1..7), fixed).prop_map(|(mut buffers, (pin, offset))| {
        if pin {
            buffers[0].fixed_offset = Some(offset * buffers[0].alignment);
        }
        buffers
    })
}

fn sized() -> impl Strategy<Value = Vec<Buffer>> {
    prop::collection::vec(row(30, 1000), 1..60)
}

#[test]
fn buffers_that_only_round_up_to_the_same_are_not_interchangeable() {
    // One byte and two, both at multiples of four: only with the two below do five bytes suffice.
    let one = |lower, upper, size, alignment| Buffer::new("b", lower, upper, size).aligned(alignment);
    let buffers = [one(3, 4, 2, 2), one(4, 8, 1, 4), one(3, 4, 2, 4), one(4, 8, 2, 4)];
    let found = minimise(&buffers, &Options::thorough()).unwrap();
    assert_eq!((found.height, found.proven), (5, true));
    assert_eq!(brute_force(&buffers, 10), Some(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_smallest_height_is_that_of_brute_force(buffers in tiny()) {
        // Mixed alignments make even some of these hard: the default limit may end before the proof.
        let found = minimise(&buffers, &Options::thorough()).unwrap();
        prop_assert!(found.proven);
        prop_assert_eq!(Some(found.height), brute_force(&buffers, 60));
        let problem = Problem { buffers, capacity: found.height };
        prop_assert_eq!(validate(&problem, &found.solution), Ok(()));
    }

    #[test]
    fn the_answer_is_that_of_brute_force(buffers in tiny(), capacity in 1..14u64) {
        let expected = fits(&buffers, capacity, &mut Vec::new());
        let problem = Problem { buffers, capacity };
        match solve(&problem, &Options::default()) {
            Outcome::Solved(solution) => {
                prop_assert!(expected);
                prop_assert_eq!(validate(&problem, &solution), Ok(()));
            }
            Outcome::Infeasible => prop_assert!(!expected),
            Outcome::Unknown { .. } => prop_assert!(false, "a tiny problem was not settled"),
        }
    }

    #[test]
    fn solutions_are_valid_bounded_and_repeatable(buffers in sized()) {
        let options = Options { node_limit: 500, time_limit: None };
        let found = minimise(&buffers, &options).unwrap();
        prop_assert!(found.height >= found.lower_bound);
        prop_assert!(found.lower_bound >= lower_bound(&buffers));
        prop_assert_eq!(found.proven, found.height == found.lower_bound);
        let again = minimise(&buffers, &options).unwrap();
        prop_assert_eq!(&found, &again);
        let problem = Problem { buffers, capacity: found.height };
        prop_assert_eq!(validate(&problem, &found.solution), Ok(()));
    }

    #[test]
    fn the_validator_notices_a_moved_buffer(buffers in sized(), which in any::<prop::sample::Index>()) {
        let found = minimise(&buffers, &Options { node_limit: 0, time_limit: None }).unwrap();
        let problem = Problem { buffers, capacity: found.height };
        let index = which.index(problem.buffers.len());
        // Onto any neighbour, and beyond the capacity.
        let moved = &problem.buffers[index];
        for (other, neighbour) in problem.buffers.iter().enumerate() {
            if other != index && moved.lower < neighbour.upper && neighbour.lower < moved.upper {
                let mut solution = found.solution.clone();
                solution.offsets[index] = solution.offsets[other];
                let violations = validate(&problem, &solution).unwrap_err();
                let (first, second) = (index.min(other), index.max(other));
                let overlap = Violation::Overlap { first, second };
                prop_assert!(violations.contains(&overlap));
            }
        }
        let mut solution = found.solution.clone();
        solution.offsets[index] = found.height;
        let capacity = Violation::Capacity { buffer: index, capacity: found.height };
        prop_assert!(validate(&problem, &solution).unwrap_err().contains(&capacity));
    }

    #[test]
    fn arbitrary_text_is_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = csv::parse_bytes(&bytes);
    }

    #[test]
    fn arbitrary_fields_are_parsed_or_refused(lines in prop::collection::vec("[-0-9a-z,]{0,30}", 0..8)) {
        let _ = csv::parse(&format!("id,lower,upper,size\n{}", lines.join("\n")));
    }

    #[test]
    fn what_is_written_is_read_again(mut buffers in sized()) {
        for (index, buffer) in buffers.iter_mut().enumerate() {
            buffer.id = format!("b{index}");
        }
        prop_assert_eq!(csv::parse(&csv::write(&buffers, None)), Ok(buffers));
    }

    #[test]
    fn extreme_numbers_do_not_overflow(
        rows in prop::collection::vec((any::<i64>(), any::<i64>(), any::<u64>(), any::<u64>()), 0..6),
        fixed in any::<Option<u64>>(),
        capacity in any::<u64>(),
    ) {
        let buffer = |&(lower, upper, size, alignment): &(i64, i64, u64, u64)| {
            Buffer::new("b", lower, upper, size).aligned(alignment)
        };
        let mut buffers: Vec<Buffer> = rows.iter().map(buffer).collect();
        if let Some(first) = buffers.first_mut() {
            first.fixed_offset = fixed;
        }
        let _ = minimise(&buffers, &Options::default());
        let problem = Problem { buffers, capacity };
        if let Outcome::Solved(solution) = solve(&problem, &Options::default()) {
            prop_assert_eq!(validate(&problem, &solution), Ok(()));
        }
    }
}

/// The example of the published tool.
const EXAMPLE: [(i64, i64, u64); 5] = [(0, 3, 4), (3, 9, 4), (0, 9, 4), (9, 21, 4), (0, 21, 4)];

#[test]
fn the_published_example_fits_in_twelve_bytes() {
    let twelve = problem(&EXAMPLE, 12);
    let Outcome::Solved(solution) = solve(&twelve, &Options::default()) else { panic!() };
    assert_eq!((validate(&twelve, &solution), solution.height), (Ok(()), 12));
    assert_eq!(solve(&problem(&EXAMPLE, 11), &Options::default()), Outcome::Infeasible);
}

#[test]
fn a_height_above_the_largest_live_set_is_proven() {
    let rows = [(0, 2, 4), (3, 5, 2), (5, 9, 3), (0, 4, 2), (1, 5, 2), (2, 6, 1), (2, 3, 3), (4, 6, 3)];
    let found = minimise(&buffers(&rows), &Options::default()).unwrap();
    assert_eq!((found.height, found.proven), (9, true));
    assert_eq!((lower_bound(&buffers(&rows)), brute_force(&buffers(&rows), 9)), (8, Some(9)));
}

#[test]
fn degenerate_problems_have_answers() {
    let options = Options::default();
    let none = minimise(&[], &options).unwrap();
    assert_eq!((none.height, none.proven), (0, true));
    let hollow = [Buffer::new("zero", 0, 9, 0), Buffer::new("never", 5, 5, 7).aligned(4)];
    assert_eq!(minimise(&hollow, &options).unwrap().height, 0);
    assert_eq!(solve(&problem(&[(0, 1, 9)], 8), &options), Outcome::Infeasible);
}

#[test]
fn fixed_buffers_can_make_a_problem_infeasible() {
    let options = Options::default();
    let pinned = |offset| Buffer::new("p", 0, 4, 8).fixed_at(offset);
    let solvable =
        |buffers| matches!(solve(&Problem { buffers, capacity: 64 }, &options), Outcome::Solved(_));
    assert!(solvable(vec![pinned(0), pinned(8), Buffer::new("q", 0, 4, 48)]));
    assert!(!solvable(vec![pinned(0), pinned(7)]));
    assert!(!solvable(vec![pinned(57)]));
    assert!(!solvable(vec![pinned(2).aligned(4)]));
    // 24 bytes below and 32 above the pinned buffer: together enough, but not in one piece.
    assert!(!solvable(vec![pinned(24), Buffer::new("q", 0, 4, 40)]));
    assert_eq!(minimise(&[pinned(0), pinned(7)], &options), None);
}

#[test]
fn the_lower_bound_counts_alignment_losses_but_the_largest() {
    let three = [1, 1, 3].map(|size| Buffer::new("b", 0, 1, size).aligned(4));
    assert_eq!(lower_bound(&three), 9);
    let found = minimise(&three, &Options::default()).unwrap();
    assert_eq!((found.height, found.proven), (9, true));
}

#[test]
fn large_problems_neither_recurse_nor_stall() {
    let rows: Vec<_> = (0..3000).map(|i| (i, i + 3 + i % 7, 16 + (i as u64 * 37) % 101)).collect();
    let found = minimise(&buffers(&rows), &Options::default()).unwrap();
    let problem = problem(&rows, found.height);
    assert_eq!(validate(&problem, &found.solution), Ok(()));
}

#[test]
fn the_validator_names_every_broken_rule() {
    let mut problem = problem(&[(0, 2, 8), (1, 3, 8), (2, 4, 8)], 16);
    problem.buffers[1].alignment = 4;
    problem.buffers[2].fixed_offset = Some(0);
    let solution = |offsets: [u64; 3], height| Solution { offsets: offsets.to_vec(), height };
    assert_eq!(validate(&problem, &solution([0, 8, 0], 16)), Ok(()));
    let broken = validate(&problem, &solution([0, 6, 9], 16)).unwrap_err();
    assert_eq!(
        broken,
        vec![
            Violation::Overlap { first: 0, second: 1 },
            Violation::Alignment { buffer: 1, offset: 6, alignment: 4 },
            Violation::Overlap { first: 1, second: 2 },
            Violation::Fixed { buffer: 2, offset: 9, fixed: 0 },
            Violation::Capacity { buffer: 2, capacity: 16 },
            Violation::Height { stated: 16, actual: 17 },
        ]
    );
    let short = Solution { offsets: vec![0], height: 8 };
    assert_eq!(validate(&problem, &short), Err(vec![Violation::Count { buffers: 3, offsets: 1 }]));
    let wrapped = solution([u64::MAX, 8, 0], 16);
    assert!(validate(&problem, &wrapped).is_err());
}

#[test]
fn malformed_text_is_refused_with_its_line() {
    let refused = |text: &str| csv::parse(text).unwrap_err().to_string();
    assert_eq!(refused(""), "line 1: no header: the text is empty");
    assert_eq!(refused("id,lower,upper\n"), "line 1: the header has no column `size`");
    assert_eq!(refused("0,1,2,3\n"), "line 1: unknown column \"0\" in the header");
    assert_eq!(refused("id,id\n"), "line 1: the header has `id` twice");
    let row = |row: &str| refused(&format!("id,lower,upper,size\na,0,1,1\n\n{row}\n"));
    assert_eq!(row("b,0,1"), "line 4: 3 fields, but the header has 4");
    assert_eq!(row("b,0,1,-8"), "line 4: \"-8\" is not a valid `size` (integer out of range or malformed)");
    assert!(row("b,0,1,18446744073709551616").starts_with("line 4: \"18446744073709551616\""));
    assert_eq!(row("b,3,3,1"), "line 4: the lifetime is empty: upper 3 is not above lower 3");
    assert_eq!(row("a,0,1,1"), "line 4: id \"a\" was used on an earlier line");
    let aligned = refused("id,lower,upper,size,alignment\na,0,1,1,3\n");
    assert_eq!(aligned, "line 2: alignment 3 is not a power of two");
    let bytes = csv::parse_bytes(b"id,lower,upper,size\na,0,1,1\n\xff,0,1,1\n");
    assert_eq!(bytes.unwrap_err().to_string(), "line 3: not UTF-8");
}

#[test]
fn a_solution_is_written_as_an_additional_column() {
    let text = "id,lower,upper,size,alignment,offset\na,0,2,3,4,\nb,0,2,8,1,0\n";
    let buffers = csv::parse(text).unwrap();
    assert_eq!(buffers[1].fixed_offset, Some(0));
    let found = minimise(&buffers, &Options::default()).unwrap();
    let expected = "id,lower,upper,size,alignment,offset\na,0,2,3,4,8\nb,0,2,8,1,0\n";
    assert_eq!(csv::write(&buffers, Some(&found.solution)), expected);
}

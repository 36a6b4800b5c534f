mod greedy;
mod instance;
mod prepare;
pub mod problem;
mod search;
mod solve;
mod state;
pub mod validate;
pub use problem::*;
pub use solve::*;
pub fn tune() {
    use instance::*;
    use search::*;
    let args: Vec<String> = std::env::args().collect();
    let seeds: u64 = args[2].parse().unwrap();
    for name in args[1].chars() {
        let text = std::fs::read_to_string(format!("/work/shared/minimalloc/{name}.1048576.csv")).unwrap();
        let items: Vec<Item> = text
            .lines()
            .skip(1)
            .map(|l| {
                let f: Vec<i64> = l.split(',').map(|x| x.parse().unwrap()).collect();
                Item { lower: f[1], upper: f[2], size: f[3] as u64 / 1024, alignment: 1, fixed: None }
            })
            .collect();
        let mut inst = Instance::new(items.clone());
        inst.limit(1024, |i| 1024 - items[i].size);
        let limit = items.len() as u64 * args[3].parse::<u64>().unwrap();
        for focus in [Focus::Candidates, Focus::Weighted, Focus::Slack, Focus::Lowest] {
            for preference in [Preference::Size, Preference::Area, Preference::Length, Preference::Neighbours]
            {
                let (mut found, mut nodes) = (0, 0);
                let t0 = std::time::Instant::now();
                for seed in 0..seeds {
                    let mut b = Budget { nodes: limit, deadline: None };
                    if let Verdict::Found(_) = search(&inst, Strategy { focus, preference, seed }, &mut b) {
                        found += 1;
                    }
                    nodes += limit - b.nodes;
                }
                println!(
                    "{name} {focus:?} {preference:?} found {found} nodes {nodes} {:.3}s",
                    t0.elapsed().as_secs_f64()
                );
            }
        }
    }
}

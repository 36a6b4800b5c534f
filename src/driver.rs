//! The driver: all stages from a model file to C sources, in order.
//!
//! In: a model and options. Out: [`Compiled`], every stage's result, and how long each took. Never writes a file
//! and never prints. What the options leave of a target's memories is in `memory`.

mod memory;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::diag::{Diagnostic, Diagnostics, Kind, Result};
use crate::emit::{self, Sources};
use crate::frontend::{self, LoadOptions};
use crate::ir::text;
use crate::ir::verify::{Verified, check, verify};
use crate::ir::{DType, Graph, Value};
use crate::passes;
use crate::targets::{self, Assignment, Library, Platform, Tree};
use crate::tiling::fusion::Fusion;
use crate::tiling::saved::{self, Subject};
use crate::tiling::streaming::Merged;
use crate::tiling::tiles::{Buffering, Seen};
use crate::tiling::variant::{Source, Variant};
use crate::tiling::{self, CheckedPlan, Interface, MemoryOptions, Plan};

/// What the user may choose about a compilation.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// The target's name.
    pub target: String,
    /// The network's name; without it, the model file's.
    pub name: Option<String>,
    /// Element types of inputs.
    pub input_types: BTreeMap<String, DType>,
    /// The element type of inputs of an integer network that nothing else tells; without it they are refused.
    pub default_integer: Option<DType>,
    /// Shapes of inputs.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Folders with more kernels, the last one first in line.
    pub kernels: Vec<PathBuf>,
    /// Where inputs and outputs are.
    pub interface: Interface,
    /// How layers are computed in parts, where the target has a scratchpad.
    pub tiling: TilingOptions,
    /// Where the plan comes from.
    pub plan: PlanSource,
    /// Which passes run and which print.
    pub passes: passes::Options,
    /// Test arrays for the inputs, in order: they tell element types and shapes the model leaves open.
    pub data: Vec<(String, Value)>,
}

/// Where a plan comes from; whatever it is, the validator judges it.
#[derive(Clone, Debug, Default)]
pub enum PlanSource {
    /// It is made.
    #[default]
    Made,
    /// This one, of the same network with the same options.
    Given(Box<Plan>),
    /// A file that was saved, and perhaps edited since.
    Saved(PathBuf),
}

/// How long the planner searches if nobody says otherwise.
pub const PLAN_SECONDS: f64 = 0.15;

/// What the user may choose about tiling.
#[derive(Clone, Copy, Debug, Default)]
pub struct TilingOptions {
    /// Whether whole tensors stay where they are and kernels work there.
    pub untiled: bool,
    /// Bytes of the scratchpad to use at most; without it, all that the platform leaves.
    pub scratchpad: Option<u64>,
    /// Bytes of the memory of the activations to use at most; without it, all there are.
    pub arena: Option<u64>,
    /// Whether constants lie in an external memory; without it, where they have no room in the chip.
    pub external: Option<bool>,
    /// Bytes of the arena at most: layers are computed row by row together where that is needed.
    pub ram_budget: Option<u64>,
    /// Bytes of the external memory to use at most; without it, all there are.
    pub outside: Option<u64>,
    /// Whether parts are fetched ahead.
    pub buffering: Buffering,
    /// Whether layers are computed part by part together.
    pub fusion: Fusion,
    /// How long the planner may search, counted in layers that it plays.
    pub seconds: Option<f64>,
}

/// How long a stage took.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// The stage.
    pub name: &'static str,
    /// Its time.
    pub time: Duration,
}

/// A platform and the kernels it runs.
#[derive(Clone, Debug)]
pub struct Target {
    /// Every file of the targets.
    pub tree: Tree,
    /// The platform.
    pub platform: Platform,
    /// Its kernels.
    pub library: Library,
}

/// A compiled network: what every stage made.
#[derive(Debug)]
pub struct Compiled {
    /// The network as loaded, before any pass.
    pub imported: Graph,
    /// The network behind all passes.
    pub graph: Verified,
    /// The target.
    pub target: Target,
    /// Node → kernel.
    pub assignment: Assignment,
    /// Where everything lives.
    pub plan: CheckedPlan,
    /// The files to write.
    pub sources: Sources,
    /// What is odd, though the result is exact.
    pub warnings: Diagnostics,
    /// Time per stage.
    pub stages: Vec<Stage>,
    /// What each pass did.
    pub passes: Vec<passes::Report>,
}

impl Compiled {
    /// Time of all stages together.
    pub fn time(&self) -> Duration {
        self.stages.iter().map(|s| s.time).sum()
    }
}

impl Compiled {
    /// The plan as a text that `PlanSource::Saved` reads.
    ///
    /// # Errors
    /// None that a network causes.
    pub fn saved_plan(&self) -> Result<String> {
        saved::save(&self.graph, &self.plan, &self.target.platform.name)
    }
}

/// Measures stages.
#[derive(Debug)]
struct Clock(Vec<Stage>);

impl Clock {
    fn stage<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let start = Instant::now();
        let result = work();
        self.0.push(Stage { name, time: start.elapsed() });
        result
    }
}

/// A loaded network behind its passes: what `inspect` shows.
#[derive(Debug)]
pub struct Optimised {
    /// The network as loaded.
    pub imported: Graph,
    /// The network behind the passes.
    pub graph: Graph,
    /// What is odd about the model.
    pub warnings: Diagnostics,
    /// What each pass did.
    pub passes: Vec<passes::Report>,
}

/// Reads a model: ONNX, or the text of a graph (`.ir`), whose faults are then the file's and not ours.
fn load(model: &Path, options: &CompileOptions) -> Result<(Graph, Diagnostics)> {
    if model.extension().is_some_and(|e| e == "ir") {
        let read = std::fs::read_to_string(model);
        let text =
            read.map_err(|e| Diagnostic::environment(format!("{}: cannot be read: {e}", model.display())))?;
        let graph = text::parse(&text).map_err(|e| e.in_file(model))?;
        check(&graph).into_result(()).map_err(|e| e.in_file(model))?;
        return Ok((graph, Diagnostics::default()));
    }
    let file = frontend::read_model(model)?;
    let load = LoadOptions {
        name: options.name.clone(),
        input_types: options.input_types.clone(),
        shapes: options.shapes.clone(),
        default_integer: options.default_integer,
        ..LoadOptions::default()
    };
    let load = load.with_data(&file, &options.data);
    let mut loaded = frontend::import(&file, &load)?;
    loaded.warnings.0.extend(inferred(&load, options));
    Ok((loaded.graph, loaded.warnings))
}

/// Loads a model and runs the passes.
///
/// # Errors
/// What the front end or a pass found wrong.
pub fn optimise(model: &Path, options: &CompileOptions) -> Result<(Optimised, Vec<Stage>)> {
    let mut clock = Clock(Vec::new());
    let (graph, warnings) = clock.stage("load", || load(model, options))?;
    let imported = clock.stage("verify", || verify(graph))?.into_graph();
    let mut reports = Vec::new();
    let graph = clock.stage("passes", || {
        passes::run(imported.clone(), &options.passes, &mut |report| reports.push(report.clone()))
    })?;
    Ok((Optimised { imported, graph, warnings, passes: reports }, clock.0))
}

/// What test arrays decided about inputs, for the user to see.
fn inferred(load: &LoadOptions, options: &CompileOptions) -> Vec<Diagnostic> {
    let types = load.input_types.iter().filter(|(name, _)| !options.input_types.contains_key(*name));
    let shapes = load.shapes.iter().filter(|(name, _)| !options.shapes.contains_key(*name));
    let types = types.map(|(name, dtype)| {
        let message = format!("input `{name}` is {dtype}: its test array holds integers of that range");
        Diagnostic::invalid(message).note().help(format!("--input-type {name}=TYPE chooses another type"))
    });
    let shapes = shapes.map(|(name, shape)| {
        let message = format!("input `{name}` has shape {shape:?}: that of its test array");
        Diagnostic::invalid(message).note().help(format!("--shape {name}=D,D,… chooses another shape"))
    });
    types.chain(shapes).collect()
}

/// Reads a target and its kernels.
///
/// # Errors
/// There is no such target, or a file of it is malformed.
pub fn load_target(name: &str, kernels: &[PathBuf]) -> Result<Target> {
    let mut tree = Tree::embedded();
    for dir in kernels {
        tree.add_dir(dir)?;
    }
    let platform = Platform::load(&tree, name)?;
    let library = Library::load(&tree, &platform)?;
    Ok(Target { tree, platform, library })
}

/// A network with its kernels and a plan that nobody has judged yet.
#[derive(Debug)]
pub struct Draft {
    /// The network as loaded, before any pass.
    pub imported: Graph,
    /// The network behind all passes.
    pub graph: Verified,
    /// The target.
    pub target: Target,
    /// Node → kernel.
    pub assignment: Assignment,
    /// The memories there are.
    pub memory: MemoryOptions,
    /// Where everything would live.
    pub plan: Plan,
    warnings: Diagnostics,
    passes: Vec<passes::Report>,
    name: String,
    /// The file that the plan was read from: its faults are the user's.
    file: Option<PathBuf>,
    clock: Clock,
}

/// A network with its kernels: all that does not depend on where constants lie.
#[derive(Clone, Debug)]
struct Prepared {
    imported: Graph,
    graph: Verified,
    target: Target,
    assignment: Assignment,
    warnings: Diagnostics,
    passes: Vec<passes::Report>,
    name: String,
    /// What planning finds out about layers.
    seen: Rc<Seen>,
    stages: Vec<Stage>,
}

/// All stages up to the kernels.
fn prepare(model: &Path, options: &CompileOptions) -> Result<Prepared> {
    let mut clock = Clock(Vec::new());
    let target = clock.stage("target", || load_target(&options.target, &options.kernels))?;
    let (optimised, stages) = optimise(model, options)?;
    clock.0.extend(stages);
    let graph = clock.stage("verify", || verify(optimised.graph))?;
    let assignment = clock.stage("assign", || targets::assign(&graph, &target.platform, &target.library))?;
    Ok(Prepared {
        imported: optimised.imported,
        graph,
        target,
        assignment,
        warnings: optimised.warnings,
        passes: optimised.passes,
        name: network_name(model, options),
        seen: Rc::default(),
        stages: clock.0,
    })
}

impl Prepared {
    /// The stage of the plan.
    fn draft(self, options: &CompileOptions) -> Result<Draft> {
        let Prepared { imported, graph, target, assignment, warnings, passes, name, seen, stages } = self;
        let mut clock = Clock(stages);
        let mut memory = memory::options(&target.platform, options)?;
        memory.scratchpad.iter_mut().for_each(|pad| pad.seen = seen.clone());
        let Variant { graph, assignment, plan } =
            clock.stage("plan", || planned(&graph, &assignment, &target, &memory, options))?;
        let file = if let PlanSource::Saved(file) = &options.plan { Some(file.clone()) } else { None };
        Ok(Draft { imported, graph, target, assignment, memory, plan, warnings, passes, name, file, clock })
    }
}

/// All stages up to the plan.
///
/// # Errors
/// What the first failing stage found, all of it.
pub fn draft(model: &Path, options: &CompileOptions) -> Result<Draft> {
    prepare(model, options)?.draft(options)
}

/// The plan, made or given, and what it is a plan of.
fn planned(
    graph: &Verified,
    assignment: &Assignment,
    target: &Target,
    memory: &MemoryOptions,
    options: &CompileOptions,
) -> Result<Variant> {
    let source = Source { graph, assignment, platform: &target.platform, library: &target.library };
    match &options.plan {
        PlanSource::Made => source.plan(memory, options.tiling.fusion),
        PlanSource::Given(plan) => {
            let Merged { graph, assignment, .. } = source.of_plan(plan)?;
            Ok(Variant { graph, assignment, plan: (**plan).clone() })
        }
        PlanSource::Saved(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|e| Diagnostic::environment(format!("{}: cannot be read: {e}", file.display())))?;
            saved::load(&text, &Subject { source, options: memory }).map_err(|e| e.in_file(file))
        }
    }
}

impl Draft {
    /// Has a plan judged: this draft's, or another one of the same network.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self, plan: Plan) -> Result<CheckedPlan> {
        let judged =
            tiling::validate(&self.graph, &self.assignment, &self.target.library, &self.memory, plan);
        let Some(file) = &self.file else { return judged };
        judged.map_err(|mut faults| {
            for fault in &mut faults.0 {
                fault.kind = Kind::Invalid;
                fault.help = Some("mend the plan, or leave --plan out to have one made".into());
            }
            faults.in_file(file)
        })
    }

    /// The stages behind the plan.
    ///
    /// # Errors
    /// What is wrong with the plan, or what the sources cannot say.
    fn finish(mut self) -> Result<Compiled> {
        let mut clock = std::mem::replace(&mut self.clock, Clock(Vec::new()));
        let plan = std::mem::take(&mut self.plan);
        let plan = clock.stage("validate", || self.check(plan))?;
        let emission = emit::Options { name: self.name };
        let Target { platform, library, .. } = &self.target;
        let sources = clock.stage("emit", || {
            emit::render(&self.graph, &self.assignment, &plan, library, platform, &emission)
        })?;
        memory::fits(platform, self.memory.capacity.map(|c| c as u64), &plan, &sources)?;
        Ok(Compiled {
            imported: self.imported,
            graph: self.graph,
            target: self.target,
            assignment: self.assignment,
            plan,
            sources,
            warnings: self.warnings,
            stages: clock.0,
            passes: self.passes,
        })
    }
}

/// All stages. If the options do not say where constants lie, they lie in the chip if it has room for them and the code, or else
/// outside if that helps.
///
/// # Errors
/// What the first failing stage found, all of it.
pub fn compile(model: &Path, options: &CompileOptions) -> Result<Compiled> {
    let prepared = prepare(model, options)?;
    let with = |prepared: Prepared, external: bool| {
        let tiling = TilingOptions { external: Some(external), ..options.tiling };
        prepared.draft(&CompileOptions { tiling, ..options.clone() })?.finish()
    };
    if let Some(external) = options.tiling.external {
        return with(prepared, external);
    }
    let inside = with(prepared.clone(), false);
    let infeasible = |faults: &Diagnostics| faults.exit_code() == Kind::Infeasible.exit_code();
    // A saved plan does not say where constants lie.
    let given = !matches!(options.plan, PlanSource::Made);
    if !inside.as_ref().map_or_else(|faults| given || infeasible(faults), memory::is_tight) {
        return inside;
    }
    // Outside takes less: its refusal names the smallest memories.
    with(prepared, true)
        .or_else(|outside| if infeasible(&outside) { inside.or(Err(outside)) } else { inside })
}

/// The prefix of every symbol: what the user says, else an identifier made from the file's name.
fn network_name(model: &Path, options: &CompileOptions) -> String {
    let stem = || model.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    options.name.clone().unwrap_or_else(|| emit::names::identifier(&stem()))
}

//! What several integration tests share.

pub mod random_graph;

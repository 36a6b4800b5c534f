//! Float operators on rows and training operators against numbers from elsewhere: onnxruntime for what it
//! implements, central differences of numpy functions for gradients.

use super::testing::{elements, float, int, pattern, run, text};
use super::*;
use crate::ir::DType;
use crate::ir::ops::cross_entropy::Reduction;

fn close(v: &Value, expected: &[f64]) {
    let found = elements(v);
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 2e-5 * (1.0 + e.abs()), "{found:?} is not {expected:?}");
    }
}

fn results(op: impl Into<Op>, inputs: &[Value]) -> Vec<Value> {
    let op = op.into();
    let types: Vec<TensorType> = inputs.iter().map(TensorType::of).collect();
    let outputs = op.infer(&types).unwrap();
    let found = op.reference(&inputs.iter().collect::<Vec<_>>(), &outputs).unwrap();
    assert_eq!(found.iter().map(TensorType::of).collect::<Vec<_>>(), outputs);
    assert_eq!(op.result_names().len(), outputs.len());
    found
}

fn x() -> Value {
    pattern(&[2, 3, 2], 5, 1, 11)
}

fn x4() -> Value {
    pattern(&[1, 4, 3], 7, 2, 13)
}

/// A quarter of `x`, so that no softmax saturates.
fn logits() -> Value {
    Value::F32(x().to_f32().mapv(|v| v / 4.0))
}

fn labels() -> Value {
    Value::s64(&[2, 2], vec![2, 0, 1, 1]).unwrap()
}

fn weights() -> Value {
    Value::f32(&[3], vec![1.0, 2.0, 0.5]).unwrap()
}

#[test]
fn softmaxes() {
    close(
        &run("Softmax", &[int("axis", 1)], &[x()]).unwrap(),
        &[
            0.000123, 0.665241, 0.000045, 0.244728, 0.999831, 0.090031, 0.665241, 0.665241, 0.244728,
            0.244728, 0.090031, 0.090031,
        ],
    );
    close(
        &results(Softmax { axis: 1, span: 2 }, &[x()])[0],
        &[
            0.000120, 0.017822, 0.000044, 0.006556, 0.973046, 0.002412, 0.663596, 0.001645, 0.244123,
            0.000605, 0.089808, 0.000223,
        ],
    );
    close(
        &run("LogSoftmax", &[], &[x()]).unwrap(),
        &[
            -5.006715, -0.006715, -5.006715, -0.006715, -0.002476, -6.002476, -0.002476, -6.002476,
            -0.002476, -6.002476, -0.002476, -6.002476,
        ],
    );
    close(
        &run("Hardmax", &[int("axis", 1)], &[x()]).unwrap(),
        &[
            0.000000, 1.000000, 0.000000, 0.000000, 1.000000, 0.000000, 1.000000, 1.000000, 0.000000,
            0.000000, 0.000000, 0.000000,
        ],
    );
}

#[test]
fn layer_norm() {
    let op = LayerNorm { axis: 1, epsilon: Real(0.1), stats: true };
    let y = results(op, &[x(), pattern(&[3, 2], 3, 0, 7), pattern(&[3, 2], 2, 1, 5)]);
    close(
        &y[0],
        &[
            2.016638, 1.000000, -5.921629, -0.201109, 5.418856, -0.798891, -4.839795, 1.000000, 0.879846,
            0.959949, 3.279932, 1.559863,
        ],
    );
    close(&y[1], &[-0.666667, 0.000000]);
    close(&y[2], &[0.301664, 0.319983]);
    let attributes = [int("axis", -1), float("epsilon", 0.25)];
    let y = run("SimplifiedLayerNormalization", &attributes, &[x(), pattern(&[2], 3, 5, 7)]);
    close(
        &y.unwrap(),
        &[
            -2.704494, -0.676123, -2.800560, 0.000000, 2.747211, 0.549442, 2.498780, 1.249390, 1.972788,
            1.972788, 1.249390, 2.498780,
        ],
    );
}

#[test]
fn channel_norms() {
    let (scale, bias) = (pattern(&[4], 3, 1, 7), pattern(&[4], 1, 0, 4));
    let epsilon = float("epsilon", 0.5);
    let inputs = [x4(), scale.clone(), bias.clone()];
    let y = run("GroupNormalization", &[int("num_groups", 2), epsilon.clone()], &inputs);
    close(
        &y.unwrap(),
        &[
            0.457085, -3.365047, -0.088934, -0.044467, -1.682524, 0.228543, 0.123823, -5.076753, -0.619116,
            1.000000, 1.000000, 1.000000,
        ],
    );
    close(
        &run("InstanceNormalization", std::slice::from_ref(&epsilon), &inputs).unwrap(),
        &[
            -0.318118, -4.733059, -0.948824, -0.474412, -2.366530, -0.159059, 2.522824, -4.099588, 1.576765,
            1.000000, 1.000000, 1.000000,
        ],
    );
    let var = Value::F32(pattern(&[4], 3, 0, 9).to_f32().mapv(f32::abs));
    let inputs = [x4(), scale, bias, pattern(&[4], 2, 1, 5), var];
    close(
        &run("BatchNormalization", &[epsilon], &inputs).unwrap(),
        &[
            0.828427, -5.771236, -0.114382, 1.449490, -3.449490, 2.265986, -1.897367, -15.178932, -3.794733,
            1.000000, 1.000000, 1.000000,
        ],
    );
}

#[test]
fn other_norms() {
    let lp = |p| run("LpNormalization", &[int("axis", 1), int("p", p)], &[x()]).unwrap();
    close(
        &lp(1),
        &[
            -0.285714, 0.500000, -0.357143, 0.000000, 0.357143, -0.500000, 0.444444, -0.222222, 0.333333,
            -0.333333, 0.222222, -0.444444,
        ],
    );
    close(
        &lp(2),
        &[
            -0.492366, 0.707107, -0.615457, 0.000000, 0.615457, -0.707107, 0.742781, -0.371391, 0.557086,
            -0.557086, 0.371391, -0.742781,
        ],
    );
    let attributes = [float("alpha", 0.9), float("beta", 0.6), float("bias", 1.5), int("size", 3)];
    let y = run("LRN", &attributes, &[pattern(&[1, 5, 1, 2], 7, 2, 13)]);
    close(
        &y.unwrap(),
        &[
            -1.070322, 0.802742, -0.744665, 0.743994, -0.703890, 0.731828, -0.517282, 0.770404, 0.000000,
            -0.911977,
        ],
    );
}

#[test]
fn cross_entropy_and_its_reductions() {
    for (reduction, loss) in [
        (Reduction::Mean, &[1.251224][..]),
        (Reduction::Sum, &[5.630508]),
        (Reduction::None, &[0.000084, 0.000000, 2.815212, 2.815212]),
    ] {
        let op = CrossEntropy { reduction, ignore_index: Some(0), log_prob: true };
        let y = results(op, &[x(), labels(), weights()]);
        close(&y[0], loss);
        close(
            &y[1],
            &[
                -9.000169, -0.407606, -10.000169, -1.407606, -0.000169, -2.407606, -0.407606, -0.407606,
                -1.407606, -1.407606, -2.407606, -2.407606,
            ],
        );
    }
}

#[test]
fn gradient_of_cross_entropy() {
    let log_prob = results(LogSoftmax { axis: 1, span: 1 }, &[logits()]).remove(0);
    close(
        &log_prob,
        &[
            -2.421837, -0.869338, -2.671837, -1.119338, -0.171837, -1.369338, -0.869338, -0.869338,
            -1.119338, -1.119338, -1.369338, -1.369338,
        ],
    );
    let op = CrossEntropyGrad { reduction: Reduction::Mean, ignore_index: Some(0), loss_grad: true };
    let dx = results(op, &[Value::scalar_f32(3.0), log_prob, labels(), weights()]);
    close(
        &dx[0],
        &[
            0.029586, 0.000000, 0.023042, 0.000000, -0.052628, 0.000000, 0.558972, 0.558972, -0.898006,
            -0.898006, 0.339034, 0.339034,
        ],
    );
}

/// Without the gradient of the loss the mean is taken twice: for two labels, a quarter of softmax minus one-hot.
#[test]
fn gradient_of_cross_entropy_alone() {
    let log_prob = Value::f32(&[2, 2], [0.25f32, 0.75, 0.5, 0.5].map(f32::ln).to_vec()).unwrap();
    let labels = Value::s64(&[2], vec![1, 0]).unwrap();
    let dx = run("SoftmaxCrossEntropyLossGrad", &[text("reduction", "mean")], &[log_prob, labels]);
    close(&dx.unwrap(), &[0.0625, -0.0625, -0.125, 0.125]);
}

#[test]
fn gradient_of_softmax() {
    let y = results(Softmax { axis: 1, span: 1 }, &[logits()]).remove(0);
    let dx = results(SoftmaxGrad { axis: 1, span: 1 }, &[pattern(&[2, 3, 2], 3, 2, 9), y]);
    close(
        &dx[0],
        &[
            -0.261047, 0.090831, 0.211447, -0.908748, 0.049601, 0.817917, -1.141058, 0.090831, 1.070318,
            -0.908748, 0.070739, 0.817917,
        ],
    );
}

#[test]
fn gradients_of_layer_norm() {
    let op = LayerNormGrad { axis: 1, epsilon: Real(0.1), parameters: true };
    let d = results(op, &[pattern(&[2, 3, 2], 3, 2, 9), x(), pattern(&[3, 2], 3, 0, 7)]);
    close(
        &d[0],
        &[
            0.241880, -0.271772, 1.792596, 0.072289, 1.368620, -3.203614, -0.792495, 0.236256, 1.618844,
            1.367663, -1.089544, -1.340725,
        ],
    );
    close(&d[1], &[-0.548772, -0.137193, -1.389043, 1.517679, 2.349394, -5.521945]);
    close(&d[2], &[-4.000000, 2.000000, 8.000000, -4.000000, 2.000000, 8.000000]);
}

/// Only the last label is a class: ln(e^3 + e^2 + e) - 2, as x is 3, 2, 1 there.
#[test]
fn labels_outside_the_classes_add_nothing() {
    let labels = Value::s64(&[2, 2], vec![-1, 3, i64::MAX, 1]).unwrap();
    let op = CrossEntropy { reduction: Reduction::Sum, ignore_index: None, log_prob: false };
    close(&results(op, &[x(), labels])[0], &[1.407606]);
}

#[test]
fn a_step_of_gradient_descent() {
    let y = results(Sgd { lr: Real(0.5) }, &[pattern(&[4], 1, 0, 4), pattern(&[4], 3, 1, 7)]);
    close(&y[0], &[-1.0, -1.5, 1.5, 1.0]);
    assert_eq!(y[0].dtype(), DType::F32);
}

use super::*;

fn scope() -> BTreeMap<String, Val> {
    let mut m = BTreeMap::new();
    for (k, v) in [("group", 4), ("kernel_h", 3), ("big", i64::MAX), ("zero", 0)] {
        m.insert(k.to_string(), Val::Int(v));
    }
    m.insert("alpha".into(), Val::Float(0.5));
    m.insert("layout".into(), Val::Str("channels_last".into()));
    m.insert("x.rank".into(), Val::Int(4));
    m
}

fn value(text: &str) -> Result<Val, String> {
    Expr::parse(text).unwrap().eval(&scope())
}

#[test]
fn arithmetic_and_precedence() {
    assert_eq!(value("1 + 2 * 3"), Ok(Val::Int(7)));
    assert_eq!(value("(1 + 2) * 3"), Ok(Val::Int(9)));
    assert_eq!(value("10 - 4 - 3"), Ok(Val::Int(3)));
    assert_eq!(value("7 / 2 * 2 + 7 % 2"), Ok(Val::Int(7)));
    assert_eq!(value("-7 / 2"), Ok(Val::Int(-3)));
    assert_eq!(value("--3"), Ok(Val::Int(3)));
    assert_eq!(value("min(3, group, 5) + max(1, 2.5)"), Ok(Val::Float(5.5)));
    assert_eq!(value("1_000 * 1.5e2"), Ok(Val::Float(150_000.0)));
    assert_eq!(value("group * kernel_h == 12 && x.rank == 4"), Ok(Val::Int(1)));
    assert_eq!(value("group == 1 || !(kernel_h != 3)"), Ok(Val::Int(1)));
    assert_eq!(value("layout == channels_last"), Ok(Val::Int(1)));
    assert_eq!(value("layout == 'channels_first'"), Ok(Val::Int(0)));
    assert_eq!(value("true + true"), Ok(Val::Int(2)));
}

#[test]
fn terms_have_names() {
    assert_eq!(value("rows = group * 2;\nall = rows + kernel_h; all * rows"), Ok(Val::Int(88)));
    assert_eq!(value("alpha = 3; alpha == 3"), Ok(Val::Int(1)));
    assert_eq!(value("t = 1 / zero; 3"), Err("division by zero".into()));
    let failed = Expr::parse("rows = 2 * group; rows == kernel_h").unwrap().check(&scope());
    assert_eq!(failed, Err("needs rows = 2 * group; rows == kernel_h, has group = 4, kernel_h = 3".into()));
    assert_eq!(Expr::parse("rows = 2 * group;").unwrap_err().message, "the expression ends too early");
    assert_eq!(Expr::parse("3; 4").unwrap_err().message, "unexpected `;`");
}

#[test]
fn faults_are_sentences() {
    assert_eq!(value("1 / zero"), Err("division by zero".into()));
    assert_eq!(value("1 % 0"), Err("division by zero".into()));
    assert_eq!(value("1.0 / 0"), Err("division by zero".into()));
    assert_eq!(value("big + 1"), Err("the value exceeds 64 bits".into()));
    assert_eq!(value("(-big - 1) / -1"), Err("the value exceeds 64 bits".into()));
    assert_eq!(value("-(-big - 1)"), Err("the value exceeds 64 bits".into()));
    assert_eq!(
        value("kernl_h <= 3"),
        Err("`kernl_h` is not a number, and the operator has no parameter of that name".into())
    );
    assert_eq!(value("y.rank == 2"), Err("there is no `y.rank` here".into()));
}

#[test]
fn a_failed_predicate_shows_the_values() {
    let check = |text: &str| Expr::parse(text).unwrap().check(&scope());
    assert_eq!(check("group == 4"), Ok(()));
    assert_eq!(check("group == 1"), Err("needs group == 1, has 4".into()));
    assert_eq!(
        check("group * kernel_h <= 8"),
        Err("needs group * kernel_h <= 8, has group = 4, kernel_h = 3".into())
    );
    assert_eq!(check("1 == 2"), Err("needs 1 == 2".into()));
    assert_eq!(check("group / zero == 1"), Err("needs group / zero == 1: division by zero".into()));
    assert_eq!(check("layout"), Err("needs layout, which is `channels_last` and not a truth value".into()));
}

#[test]
fn counts_round_up_and_never_go_below_zero() {
    let count = |text: &str| Expr::parse(text).unwrap().count(&scope());
    assert_eq!(count("group * 2.1"), Ok(9));
    assert_eq!(count("0 - 5"), Ok(0));
    assert_eq!(count("1e30"), Ok(u64::MAX));
    assert!(count("layout").is_err());
}

#[test]
fn syntax_errors_point_at_the_place() {
    let at = |text: &str| {
        let e = Expr::parse(text).unwrap_err();
        (e.at, e.message)
    };
    assert_eq!(at("group = 1"), (6, "`=` is not an operator; write `==`".into()));
    assert_eq!(at("group =="), (8, "the expression ends too early".into()));
    assert_eq!(at("(1 + 2"), (6, "expected `)`".into()));
    assert_eq!(at("1 2"), (2, "unexpected `2`".into()));
    assert_eq!(at("a $ b"), (2, "unexpected character `$`".into()));
    assert_eq!(at("'abc"), (0, "the string does not end".into()));
    assert_eq!(at("sqrt(2)"), (7, "there is no function `sqrt`; known: min, max".into()));
    assert_eq!(at("99999999999999999999"), (0, "`99999999999999999999` is not a number".into()));
    assert_eq!(at(""), (0, "the expression ends too early".into()));
    assert!(at(&"(".repeat(10_000)).1.contains("too deeply"));
    assert!(at(&"-".repeat(10_000)).1.contains("too deeply"));
    assert!(at(&format!("1{}", "+1".repeat(10_000))).1.contains("too long"));
}

//! As much of PromQL as tells which metrics and labels an expression uses.

/// One series selector: `metric{label="value"}`.
#[derive(Debug, PartialEq, Eq)]
pub struct Selector {
    pub metric: String,
    pub matchers: Vec<Matcher>,
    /// The function that it stands in directly: `rate` in `rate(a[5m])`.
    pub function: Option<String>,
}

/// One condition of a selector.
#[derive(Debug, PartialEq, Eq)]
pub struct Matcher {
    pub label: String,
    pub operator: String,
    pub value: String,
}

/// What an expression uses.
#[derive(Debug, Default)]
pub struct Query {
    pub selectors: Vec<Selector>,
    /// Labels of `by (…)`, `on (…)` and the like.
    pub grouping: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

const LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];
const OPERATORS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

/// Reads an expression.
pub fn parse(expression: &str) -> Query {
    let tokens = tokens(expression);
    let mut query = Query::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let Token::Word(word) = token else {
            at += 1;
            continue;
        };
        let opens = tokens.get(at + 1) == Some(&Token::Sign("(".into()));
        if LISTS.contains(&word.as_str()) && opens {
            at = words_until_close(&tokens, at + 2, &mut query.grouping);
        } else if OPERATORS.contains(&word.as_str()) || opens || aggregates(&tokens, at) {
            at += 1;
        } else {
            let function = match tokens.get(..at) {
                Some([.., Token::Word(name), Token::Sign(sign)]) if sign == "(" => {
                    Some(name.clone())
                }
                _ => None,
            };
            let (matchers, next) = matchers(&tokens, at + 1);
            query.selectors.push(Selector {
                metric: word.clone(),
                matchers,
                function,
            });
            at = next;
        }
    }
    query
}

/// Whether an aggregation's labels come next, as in `sum by (job) (…)`.
fn aggregates(tokens: &[Token], at: usize) -> bool {
    matches!(tokens.get(at + 1), Some(Token::Word(next)) if next == "by" || next == "without")
}

fn words_until_close(tokens: &[Token], mut at: usize, into: &mut Vec<String>) -> usize {
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Word(word) => into.push(word.clone()),
            Token::Sign(sign) if sign == ")" => break,
            _ => {}
        }
    }
    at
}

fn matchers(tokens: &[Token], mut at: usize) -> (Vec<Matcher>, usize) {
    let mut found = Vec::new();
    if tokens.get(at) != Some(&Token::Sign("{".into())) {
        return (found, at);
    }
    at += 1;
    while let Some(
        [
            Token::Word(label),
            Token::Sign(operator),
            Token::Text(value),
        ],
    ) = tokens.get(at..at + 3)
    {
        found.push(Matcher {
            label: label.clone(),
            operator: operator.clone(),
            value: value.clone(),
        });
        at += 3;
        at += usize::from(tokens.get(at) == Some(&Token::Sign(",".into())));
    }
    assert_eq!(tokens.get(at), Some(&Token::Sign("}".into())), "{tokens:?}");
    (found, at + 1)
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => {
                let end = rest.get(1..).and_then(|inner| inner.find(first));
                let end = end.unwrap_or_else(|| panic!("an open string in {expression}"));
                tokens.push(Token::Text(rest[1..=end].to_owned()));
                end + 2
            }
            // A range, `[5m]` or `[$__rate_interval]`.
            '[' => {
                rest.find(']')
                    .unwrap_or_else(|| panic!("an open range in {expression}"))
                    + 1
            }
            _ if first.is_ascii_digit() => span(rest, |c| c.is_ascii_alphanumeric() || c == '.'),
            _ if is_word(first) => {
                let length = span(rest, |c| is_word(c) || c.is_ascii_digit());
                tokens.push(Token::Word(rest[..length].to_owned()));
                length
            }
            '=' | '!' | '<' | '>' => {
                let length = span(rest, |c| matches!(c, '=' | '!' | '~' | '<' | '>'));
                tokens.push(Token::Sign(rest[..length].to_owned()));
                length
            }
            _ => {
                if !first.is_whitespace() {
                    tokens.push(Token::Sign(first.to_string()));
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

#[test]
fn an_expression_says_what_it_uses() {
    let query = parse(
        "histogram_quantile(0.95, sum by (job, le) (rate(a_bucket{job=\"x\", le=~\"10|10.0\"}[5m])))\n\
         > 14.4 * 0.01 and on (job) b:c:rate1h offset 1d unless d{} or -1e9",
    );
    let metrics: Vec<_> = query.selectors.iter().map(|s| s.metric.as_str()).collect();
    assert_eq!(metrics, ["a_bucket", "b:c:rate1h", "d"]);
    assert_eq!(query.grouping, ["job", "le", "job"]);
    let first = &query.selectors[0];
    assert_eq!(first.function.as_deref(), Some("rate"));
    assert_eq!(first.matchers[1].operator, "=~");
    assert_eq!(first.matchers[1].value, "10|10.0");
    assert_eq!(query.selectors[1].function, None);
}

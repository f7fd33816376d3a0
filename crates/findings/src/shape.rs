//! Where in a JSON body something stands, and what is wrong there.

/// One step to a place in a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathSegment {
    /// A key of an object.
    Key(String),
    /// An index of a list, from 0.
    Index(usize),
}

/// One place where a JSON body hasn't the contract's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeError {
    /// Where, from the body's root on; a reader of one member (`dte_data`) leaves its own name
    /// to the caller.
    pub loc: Vec<PathSegment>,
    /// What is wrong, in Spanish.
    pub msg: String,
    /// A stable code: `missing`, `type_error`, `value_error`, `too_short` or `too_long`.
    pub kind: &'static str,
}

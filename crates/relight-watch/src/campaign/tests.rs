//! Tests of `campaign`.

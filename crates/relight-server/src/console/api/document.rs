//! Types of the API: each is declared once, and has its schema from the same declaration.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A type that stands in the document under a name.
pub(super) trait Document {
    /// Its name in the document.
    const NAME: &'static str;

    /// Its JSON Schema.
    fn schema() -> Value;

    /// True for the type of those who read nothing.
    fn is_nothing() -> bool {
        false
    }
}

impl Document for super::Nothing {
    const NAME: &'static str = "Nothing";

    fn schema() -> Value {
        json!({"type": "object"})
    }

    fn is_nothing() -> bool {
        true
    }
}

/// What a field can be.
pub(super) trait Shape {
    /// Its schema, without a description.
    fn shape() -> Value;

    /// It may be left out.
    const OPTIONAL: bool = false;
}

impl Shape for String {
    fn shape() -> Value {
        json!({"type": "string"})
    }
}

impl Shape for bool {
    fn shape() -> Value {
        json!({"type": "boolean"})
    }
}

impl Shape for u64 {
    fn shape() -> Value {
        json!({"type": "integer", "minimum": 0})
    }
}

impl Shape for f64 {
    fn shape() -> Value {
        json!({"type": "number"})
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn shape() -> Value {
        json!({"type": "object", "additionalProperties": T::shape()})
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn shape() -> Value {
        json!({"type": "array", "items": T::shape()})
    }
}

impl<T: Shape> Shape for Option<T> {
    fn shape() -> Value {
        json!({"anyOf": [T::shape(), {"type": "null"}]})
    }

    const OPTIONAL: bool = true;
}

/// Declares a type of the API: the struct, how it is read and written, and its schema.
macro_rules! documents {
    ($($(#[doc = $about:literal])* $name:ident {
        $($(#[doc = $what:literal])* $field:ident: $type:ty,)*
    })*) => {$(
        $(#[doc = $about])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $(
                $(#[doc = $what])*
                pub(super) $field: $type,
            )*
        }

        impl crate::console::api::document::Document for $name {
            const NAME: &'static str = stringify!($name);

            fn schema() -> serde_json::Value {
                use crate::console::api::document::{Shape, described, object};
                let about = concat!($($about),*).trim();
                object(about, vec![$((
                    stringify!($field),
                    described(<$type as Shape>::shape(), concat!($($what),*).trim()),
                    <$type as Shape>::OPTIONAL,
                )),*])
            }
        }

        impl crate::console::api::document::Shape for $name {
            fn shape() -> serde_json::Value {
                serde_json::json!({"$ref": concat!("#/components/schemas/", stringify!($name))})
            }
        }
    )*};
}
pub(super) use documents;

/// A schema with its description.
pub(super) fn described(mut schema: Value, what: &str) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), what.into());
    }
    schema
}

/// The schema of an object: name, schema and whether it may be left out, of each field.
pub(super) fn object(about: &str, fields: Vec<(&'static str, Value, bool)>) -> Value {
    let required: Vec<&str> =
        fields.iter().filter(|(_, _, optional)| !optional).map(|(name, ..)| *name).collect();
    let properties: serde_json::Map<String, Value> =
        fields.iter().map(|(name, schema, _)| ((*name).to_owned(), schema.clone())).collect();
    json!({
        "type": "object",
        "description": about,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

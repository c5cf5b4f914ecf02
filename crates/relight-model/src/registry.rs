//! The `registry!` macro: one list of plug-ins, its modules and its fixture tests.

/// Declares a list of plug-ins: for each name the module, the entry `&name::PLUGIN` of the list,
/// and a test `fixtures::name` that calls `$check(name, plugin)`.
///
/// ```text
/// registry! {
///     /// Every cataloger, in alphabetical order.
///     pub static CATALOGERS: dyn Cataloger, check = crate::cataloger::check;
///     dpkg, java_archive, npm_lock
/// }
/// ```
///
/// A new plug-in is one file, one name in this list and one folder of fixtures; `xtask tidy`
/// asserts that the three agree.
#[macro_export]
macro_rules! registry {
    (
        $(#[$doc:meta])*
        $vis:vis static $list:ident: dyn $plugin:path, check = $check:path;
        $($name:ident),+ $(,)?
    ) => {
        $(mod $name;)+

        $(#[$doc])*
        $vis static $list: &[&(dyn $plugin)] = &[$(&$name::PLUGIN),+];

        #[cfg(test)]
        mod fixtures {
            $(#[test]
            fn $name() {
                $check(stringify!($name), &super::$name::PLUGIN);
            })+
        }
    };
}

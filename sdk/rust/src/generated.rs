//! The contract in `wit/` as Rust, written by `cargo xtask generate-bindings`; not for authors.
//!
//! The world `imports` becomes [`base`]; each kind adds its own interface and uses the types of `base`.

/// Declares generated files as modules and exempts them from the rules for written code.
macro_rules! generated {
    ($($module:ident: $text:literal;)*) => {
        $(
            #[doc = $text]
            #[allow(
                unsafe_code,
                missing_docs,
                unreachable_pub,
                clippy::all,
                clippy::pedantic,
                clippy::restriction,
                reason = "written by a generator"
            )]
            pub mod $module;
        )*
    };
}

generated! {
    base: "What every plugin imports.";
    endpoint: "The interface `endpoint`.";
    objective: "The interface `objective`.";
    pareto: "The interface `pareto`.";
    trend: "The interface `trend`.";
}

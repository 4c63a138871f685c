//! How large the functions of a component are: what a compiler needs of memory grows with the largest of them, which it
//! holds as a whole.
//!
//! This is for systems that do not bound the memory of a process. Where it is bounded, the bound is exact and this guess
//! is not needed.

use wasmparser::{Parser, Payload};

use crate::limits::Limits;

/// How many bytes of memory a byte of a function takes while it is compiled, at worst: a function of 1.5 MB with
/// branches from everywhere over thousands of variables takes 6.7 GB.
const MEMORY_PER_BYTE: usize = 5 << 10;

/// Why a component is not compiled without a bound of memory; none if its functions are small enough.
pub(crate) fn refusal(limits: &Limits, component: &[u8]) -> Option<String> {
    let largest = largest(component);
    let memory = largest.saturating_mul(MEMORY_PER_BYTE);
    (memory > limits.compile_memory).then(|| {
        let (kib, mib) = (largest >> 10, limits.compile_memory >> 20);
        format!(
            "compiling its function of {kib} KiB may take more than {mib} MiB of memory, which this system does not bound; --plugin-compile-mib {} allows it",
            memory.div_ceil(1 << 20)
        )
    })
}

/// The bytes of the largest function; 0 if there is none. What is no component has been refused before.
fn largest(component: &[u8]) -> usize {
    let bodies =
        Parser::new(0).parse_all(component).map_while(Result::ok).filter_map(|payload| match payload {
            Payload::CodeSectionEntry(body) => Some(body.range().len()),
            _ => None,
        });
    bodies.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component whose second module has a function of about so many bytes.
    fn component(bytes: usize) -> Vec<u8> {
        let body = "f64.sqrt ".repeat(bytes);
        let text = format!(
            "(component (core module (func)) (core module (func) (func (result f64) f64.const 2 {body})))"
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn a_huge_function_is_refused_and_the_flag_that_allows_it_is_told() {
        let limits = |mib: usize| Limits { compile_memory: mib << 20, ..Limits::default() };
        let huge = component(600 << 10);
        let told = refusal(&limits(2048), &huge).unwrap();
        assert!(told.starts_with("compiling its function of 600 KiB may take more than 2048 MiB"), "{told}");
        let allowed = told.split_once("--plugin-compile-mib ").unwrap().1.split(' ').next().unwrap();
        assert_eq!(refusal(&limits(allowed.parse().unwrap()), &huge), None);
        assert_eq!(refusal(&limits(2048), &component(300 << 10)), None);
    }

    #[test]
    fn a_component_without_functions_is_small() {
        assert_eq!(largest(&wat::parse_str("(component)").unwrap()), 0);
    }
}

//! WebAssembly components behind the plugin traits of the model.

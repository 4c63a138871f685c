//! Serves until Ctrl-C, and then prints how late it was: `cargo run --example serve -- PORT [QUERY]`.

use aiperf_simulator::{Settings, Simulator};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or_else(|| "8000".to_owned()).parse()?;
    let settings = Settings::from_query(&arguments.next().unwrap_or_default())?;
    let simulator = Simulator::start(settings, ([127, 0, 0, 1], port).into())?;
    println!("serving on {}", simulator.base_url());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    println!("{:?}", simulator.lateness());
    simulator.stop();
    Ok(())
}

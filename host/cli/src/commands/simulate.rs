//! `aiperf simulate`: the simulator as a server of its own.

use crate::args::SimulateArguments;
use crate::console;
use crate::exit_code::Exit;
use crate::failure::Failure;
use crate::lines::Lines;
use aiperf_simulator::Simulator;

pub(crate) fn simulate(arguments: &SimulateArguments) -> Result<Exit, Failure> {
    let simulator = Simulator::start(arguments.settings.clone(), (arguments.host, arguments.port).into())?;
    console::print(&Lines::of(format_args!(
        "serving a simulated model on {} (Ctrl-C to stop)",
        simulator.base_url()
    )))?;
    simulator.wait();
    Ok(Exit::Success)
}

//! Takes one step of the request path so many times: `instructions STEP TIMES`. Without arguments, says
//! which steps there are. `make instructions` runs it under valgrind and counts.

#![expect(clippy::print_stdout, reason = "it talks to whoever started it")]

use std::error::Error;

use gateway::counted::STEPS;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = arguments.as_slice() else {
        STEPS.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    };
    let step = STEPS.iter().find(|(step, _)| step == name);
    let (_, step) = step.ok_or_else(|| format!("there is no step `{name}`"))?;
    step(times.parse()?)
}

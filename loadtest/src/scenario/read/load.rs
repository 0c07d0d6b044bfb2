//! `mode`, and the keys that go with it.

use std::time::Duration;

use super::table::Table;
use super::value::Value;
use super::{Context, read_time};
use crate::scenario::problem::Complaint;
use crate::scenario::text::{Rate, read_duration, read_rate};
use crate::scenario::{Load, Schedule};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Closed,
    Open,
    Idle,
}

/// One entry of `ramp`: to another rate, or for a while at this one.
struct Step {
    to: Option<Rate>,
    lasts: Duration,
}

/// The load, and how long it lasts.
pub(super) fn read(root: &Table<'_>, context: &Context<'_>) -> (Load, Duration) {
    let modes = [("closed", Mode::Closed), ("open", Mode::Open), ("idle", Mode::Idle)];
    let mode = root.read("mode", Mode::Closed, |value| value.choice(&modes));
    let written = root.read("duration", Duration::from_secs(10), read_time);
    let duration = context.overrides.duration.unwrap_or(written);
    let think = root.read("think", Duration::ZERO, |value| value.parse(read_duration));
    let rate = root.get("rate").map(|value| value.parse(read_rate).unwrap_or(Rate::ZERO));
    let rate = context.overrides.rate.or(rate);
    let ramp = root.get("ramp").map(|value| value.each(read_step).unwrap_or_default());
    if mode != Mode::Closed {
        root.refuse(
            "think",
            "`think` is for mode = \"closed\" only",
            "remove it, or write mode = \"closed\"",
        );
    }
    match mode {
        Mode::Open => open(root, context, rate, ramp, duration),
        Mode::Closed | Mode::Idle => {
            for (key, message) in [
                ("rate", "`rate` is for mode = \"open\": a closed loop is as fast as the answers"),
                ("ramp", "`ramp` is for mode = \"open\": a closed loop is as fast as the answers"),
            ] {
                root.refuse(key, message, "write mode = \"open\", or remove it");
            }
            if context.overrides.rate.is_some() {
                let help = "write mode = \"open\" into the scenario, or leave --rate out";
                let message = "--rate is for scenarios with mode = \"open\"";
                root.report.add(root.key_span("mode").as_ref(), Complaint::new(message, help));
            }
            let load = if mode == Mode::Idle { Load::Idle } else { Load::Closed { think } };
            (load, duration)
        }
    }
}

fn open(
    root: &Table<'_>,
    context: &Context<'_>,
    rate: Option<Rate>,
    ramp: Option<Vec<Step>>,
    duration: Duration,
) -> (Load, Duration) {
    let from = rate.unwrap_or(Rate::ZERO);
    let warmup = root.read("warmup", Duration::ZERO, |value| value.parse(read_duration));
    let mut schedule = Schedule::new();
    schedule.then(from, from, warmup);
    let Some(steps) = ramp else {
        if from == Rate::ZERO {
            let complaint = Complaint::new(
                "an open loop has no rate",
                "say how many requests are due: rate = \"500/s\", or a `ramp`",
            );
            root.report.add(root.key_span("rate").or(root.key_span("mode")).as_ref(), complaint);
        }
        schedule.then(from, from, duration);
        return (Load::Open(schedule), duration);
    };
    root.refuse("duration", "a `ramp` has its own duration", "remove `duration`, or `ramp`");
    if context.overrides.duration.is_some() {
        let complaint = Complaint::new("a `ramp` has its own duration", "leave --duration out");
        root.report.add(root.key_span("ramp").as_ref(), complaint);
    }
    let mut now = from;
    for step in &steps {
        let to = step.to.unwrap_or(now);
        schedule.then(now, to, step.lasts);
        now = to;
    }
    (Load::Open(schedule), steps.iter().map(|step| step.lasts).sum())
}

fn read_step(value: &Value<'_>) -> Option<Step> {
    let table = value.table("a step of the ramp")?;
    table.only_one_of(&["hold", "to"]);
    let to = table.get("to").map(|value| value.parse(read_rate).unwrap_or(Rate::ZERO));
    let hold = table.get("hold").map(|value| read_time(&value).unwrap_or_default());
    let over = match to {
        Some(_) => {
            table.require("over", "say how long it takes: { to = \"1000/s\", over = \"30s\" }")
        }
        None => table.get("over"),
    };
    let over = over.map(|value| read_time(&value).unwrap_or_default());
    table.finish();
    if to.is_none() && hold.is_none() {
        let help = "write { to = \"1000/s\", over = \"30s\" } or { hold = \"60s\" }";
        value.complain("a step of the ramp has neither `to` nor `hold`", help);
    }
    Some(Step { to, lasts: hold.or(over).unwrap_or_default() })
}

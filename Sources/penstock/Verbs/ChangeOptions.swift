// What every change takes: look first, wait or not and how long, what to do about another change,
// and how to tell the outcome.

import ArgumentParser
import Foundation
import Notation

struct ChangeOptions: ParsableArguments {
    @Flag(help: "Make all checks and show the plan; change nothing.")
    var dryRun = false

    @Flag(inversion: .prefixedNo, help: "Wait until it is done and say what it came to.")
    var wait = true

    @Option(help: "How long to wait, such as 90s or 10m; then exit 6, and the change goes on.")
    var timeout = TimeSpan(seconds: 600)

    @Option(help: "If another change is at work: refuse, queue or supersede it.")
    var onConflict: OnConflict?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup(title: "Where the gateway is") var admin: ServerOptions

    enum OnConflict: String, ExpressibleByArgument, CaseIterable {
        case refuse, queue, supersede
    }

    var query: [(String, String?)] {
        [("dryRun", dryRun ? "true" : nil), ("onConflict", onConflict?.rawValue)]
    }
}

/// For changes that are done at once: there is nothing to wait for.
struct DryRunOption: ParsableArguments {
    @Flag(help: "Make all checks; change nothing.")
    var dryRun = false

    var query: [(String, String?)] { [("dryRun", dryRun ? "true" : nil)] }

    /// In front of what would be told: `iris v1: would be forgotten`.
    func told(_ done: String, or wouldBe: String) -> String { dryRun ? wouldBe : done }
}

struct ReasonOption: ParsableArguments {
    @Option(help: "Why; kept in the history.")
    var reason: String?

    var member: JSONValue? { reason.map(JSONValue.string) }
}

/// A time as people write it: `90s`, `10m`, `2h`, `30d`, or plain seconds.
struct TimeSpan: ExpressibleByArgument {
    var seconds: Double

    init(seconds: Double) {
        self.seconds = seconds
    }

    init?(argument: String) {
        if argument.hasSuffix("d"), let days = Quantity.decimal(argument.dropLast()) {
            seconds = days * 86_400
        } else if let duration = Quantity.duration(argument) {
            let (whole, rest) = duration.components
            seconds = Double(whole) + Double(rest) / 1e18
        } else if let plain = Quantity.decimal(argument[...]) {
            seconds = plain
        } else {
            return nil
        }
    }

    var defaultValueDescription: String {
        seconds.truncatingRemainder(dividingBy: 60) == 0
            ? "\(Int(seconds / 60))m" : "\(seconds.formatted())s"
    }

    var duration: Duration { .milliseconds(Int64(seconds * 1000)) }

    /// As the API takes it, in whole milliseconds.
    var text: String { "\(Int64((seconds * 1000).rounded()))ms" }
}

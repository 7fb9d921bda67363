import Bundle
import Host
import SystemPackage

extension Machine {
  /// Programs that keep the clock, by the names of their processes, which have at most 15 letters.
  private static let timekeepers: Set<String> = [
    "chronyd", "ntpd", "ntpsec", "openntpd", "systemd-timesyn", "ptp4l", "phc2sys", "vmtoolsd", "VBoxService",
  ]

  /// Whether the clock can be right, and stays so.
  ///
  /// - Parameters:
  ///   - earliest: A time that has certainly passed, in seconds since 1970, and what happened then.
  ///   - skew: By how many seconds the clock is ahead of those of servers, if one was asked.
  public func clock(after earliest: (time: Int64, event: String)?, skew: Int64? = nil) -> Finding {
    let time = ManifestTime.text(now)
    let keeper = processes().first { Self.timekeepers.contains($0.name) }?.name
    let set = keeper == "chronyd" ? "chronyc makestep" : "date --utc --set 'YYYY-MM-DD hh:mm:ss'"
    if let earliest, now < earliest.time - 300 {
      return .error(
        .clock, "it is \(time) here, and \(earliest.event) at \(ManifestTime.text(earliest.time))",
        next: set)
    }
    if let skew, abs(skew) > 300 {
      return .error(
        .clock,
        "it is \(time) here; servers say \(ManifestTime.text(now - skew)): certificates cannot be judged",
        next: "date --utc --set '\(ManifestTime.text(now - skew))'")
    }
    guard let keeper else {
      return .warning(
        .clock, "it is \(time) here, and no program keeps the clock",
        next: hasProgram("timedatectl") ? "timedatectl set-ntp true" : installing("chrony", "chrony"))
    }
    return .ok(.clock, "it is \(time) here, kept by \(keeper)")
  }
}

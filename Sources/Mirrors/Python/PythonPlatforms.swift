import Host

extension PackageTarget {
  /// The minor version of the glibc 2 that the release came with, which decides what wheels run on it (PEP 600).
  ///
  /// Source: package `libc6` or `glibc` of each release.
  public var glibcMinor: Int {
    switch (family, version) {
    case (.debian, "11"): 31
    case (.debian, "12"): 36
    case (.debian, "13"): 41
    case (.debian, "22.04"): 35
    case (.debian, "24.04"): 39
    case (.debian, "26.04"): 43
    case (.redHat, "10"): 39
    case (.redHat, "43"): 42
    case (.redHat, "44"): 43
    case (.redHat, "45"): 44
    case (.suse, "15.6"): 38
    case (.suse, "16.0"): 40
    default: 34
    }
  }
}

extension PythonIndex {
  /// The platforms of wheels that run on a Linux with that glibc, the least demanding first: pip prefers them in
  /// this order, and the wheel that most systems accept is the best one to carry.
  ///
  /// `manylinux1`, `manylinux2010` and `manylinux2014` are the older names of three of them (PEP 600). Plain `linux`,
  /// which public indexes refuse, is for wheels that a company built for itself.
  static func platforms(_ architecture: Architecture, glibcMinor: Int) -> [String] {
    let machine = architecture.machineName
    let aliases = [5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"]
    // The older ones were defined for x86 only.
    let first = architecture == .amd64 ? 5 : 17
    guard first <= glibcMinor else { return ["linux_\(machine)"] }
    return (first...glibcMinor).flatMap { minor in
      ["manylinux_2_\(minor)_\(machine)"] + (aliases[minor].map { ["\($0)_\(machine)"] } ?? [])
    } + ["linux_\(machine)"]
  }
}

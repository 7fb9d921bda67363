import Host
import SystemPackage

/// Why there is no Python environment.
public enum PythonEnvironmentError: Error, CustomStringConvertible {
  /// No Python of a fitting version is installed.
  case noPython(minors: ClosedRange<Int>, found: [String], OSRelease.Family?)
  /// A Python fits but has neither pip nor ensurepip.
  case incomplete(FilePath, minor: Int, OSRelease.Family?)
  /// The program of the setting is no Python 3.
  case notPython(String)
  /// pip could not install the packages.
  case installFailed(String)
  /// requirements.txt is missing.
  case noRequirements(FilePath)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .noPython(let minors, let found, let family):
      let have = found.isEmpty ? "none is installed" : "found \(found.joined(separator: ", "))"
      return
        "This kubespray's Ansible needs Python 3.\(minors.lowerBound) to 3.\(minors.upperBound), but \(have). "
        + "Install one, for instance: \(Self.install(minors.upperBound - 1, family)), "
        + "or name one in the setting python.executable."
    case .incomplete(let path, let minor, let family):
      return "\(path) can make no virtual environment: it has neither pip nor ensurepip. "
        + "Install them: \(Self.install(minor, family))."
    case .notPython(let name):
      return "\(name) is no Python 3 that can make virtual environments. "
        + "Name another in the setting python.executable, or use auto."
    case .installFailed(let output):
      return "The Python packages of this kubespray could not be installed:\n\(output)\n"
        + "Check the network, the proxy and pip's configuration (pip config list)."
    case .noRequirements(let path):
      return "\(path) cannot be read. Check that the kubespray tree is complete."
    }
  }

  private static func install(_ minor: Int, _ family: OSRelease.Family?) -> String {
    switch family {
    case .redHat: "dnf install python3.\(minor) python3.\(minor)-pip"
    default: "apt-get install python3.\(minor) python3.\(minor)-venv (or python3 python3-venv)"
    }
  }
}

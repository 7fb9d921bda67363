import Host
import SystemPackage

/// Why there is no Python environment.
public enum PythonEnvironmentError: Error, CustomStringConvertible {
  /// No Python of a fitting version is installed.
  case noPython(minors: ClosedRange<Int>, found: [String], OSRelease.Family?)
  /// A Python fits but has neither pip nor ensurepip.
  case incomplete(FilePath, minor: Int, OSRelease.Family?)
  /// The program of the setting is not a Python 3.
  case notPython(String)
  /// pip could not install the packages.
  case installFailed(String)
  /// pip was content, and the program that it was to install does not run; what it said.
  case programFails(FilePath, String)
  /// The Python is another one than that for which the packages are pinned.
  case otherPython(FilePath, found: String, String)
  /// Kubespray needs all of Ansible's collections, and they are not among the pinned packages.
  case fullAnsibleNotPinned
  /// It is not there, and the network is not asked for what it is made of.
  case notMade
  /// requirements.txt is missing.
  case noRequirements(FilePath)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .noPython(let minors, let found, _):
      let have = found.isEmpty ? "none is installed" : "found \(found.joined(separator: ", "))"
      return
        "this kubespray's Ansible needs Python 3.\(minors.lowerBound) to 3.\(minors.upperBound), but \(have)"
    case .incomplete(let path, _, _):
      return "\(path) cannot make a virtual environment: it has neither pip nor ensurepip"
    case .notPython(let name):
      return "\(name) is not a Python 3 that can make virtual environments"
    case .installFailed(let output):
      return "the Python packages of this kubespray could not be installed:\n\(output)"
    case .programFails(let program, let output):
      return
        "pip has installed the Python packages of this kubespray, but \(program) does not run:\n\(output)"
    case .otherPython(let path, let found, let pinned):
      return "\(path) is Python \(found), and the packages of Ansible are pinned for Python \(pinned)"
    case .fullAnsibleNotPinned:
      return "this kubespray needs all of Ansible's collections, which are not among the pinned packages"
    case .notMade:
      return "the Python environment of this kubespray was not made before, and the network is not asked"
    case .noRequirements(let path):
      return "\(path) cannot be read"
    }
  }
}

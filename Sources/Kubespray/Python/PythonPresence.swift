import Host

extension PythonEnvironment {
  /// Whether this machine has a Python 3, at least of that minor version, that can make environments and fill them.
  public static func isPossible(withMinor minor: Int) async -> Bool {
    for name in PythonInterpreter.candidates {
      guard let path = findExecutable(name), let python = await PythonInterpreter.probe(path) else {
        continue
      }
      if python.minor >= minor, python.isUsable { return true }
    }
    return false
  }
}

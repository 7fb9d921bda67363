import Files
import SystemPackage

/// The program that runs.
enum RunningProgram {
  /// Its file. Where it was started by the loader of a release, the system shows that loader; the program lies beside it, under
  /// the name that the loader was given (ld.so(8)), which is what a program finds as its own.
  ///
  /// - Parameters:
  ///   - executable: What the system shows (proc_pid_exe(5)).
  ///   - name: The name under which it was started.
  static func file(
    executable: FilePath = (try? realPath("/proc/self/exe")) ?? "/proc/self/exe",
    startedAs name: String = CommandLine.arguments.first ?? ""
  ) -> FilePath {
    guard let shown = executable.lastComponent, shown.string.hasPrefix("ld-"),
      let own = FilePath(name).lastComponent
    else { return executable }
    let beside = executable.removingLastComponent().appending(own)
    return FileInfo(regularFile: beside) == nil ? executable : beside
  }
}

import Host

extension TravellingProgram {
  /// The script `outputs/target-setup`, for every POSIX shell.
  ///
  /// Where the loader cannot be executed on the medium, which may be mounted without that right, it is copied to a
  /// private folder, and if nothing there may be mapped as code either, so is all of `lib/`. The program removes that
  /// folder as soon as it runs.
  static func launcher(loader: String) -> String {
    TextTemplate(PackageResources.launcher_sh, quoting: shellQuoted)
      .filled(["loader": loader, "machine": Architecture.current.machineName])
  }
}

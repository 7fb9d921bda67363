import ArgumentParser
import CommandSupport
import Console
import TargetSetup

/// The program without internet.
public enum TargetSetupProgram {
  /// Does what was typed, and ends this process.
  public static func run() async -> Never {
    setOrdinaryFileMask()
    LauncherFolder.remove()
    // Swift reads a program's arguments there.
    guard SetupContext.hasProcessFiles else {
      let console = Console(
        options: .resolve(
          isTerminal: Terminal.isError, outputIsTerminal: Terminal.isOutput,
          environment: processEnvironment(), quiet: false, json: false, noProgress: false, debug: false))
      console.emit(
        .problem(
          Problem(
            kind: "host", subject: "",
            detail: "/proc is not there, and the arguments of this command are read from it",
            advice: "Mount it and run the same command again: mount -t proc proc /proc"), stage: nil))
      TargetSetupCommand.exit(withError: ExitCode(.failed))
    }
    await Program.run(
      TargetSetupCommand.self, completed: CompletedCommand.self, Array(CommandLine.arguments.dropFirst())
    ) {
      Problem.all($0)
    }
  }
}

import ArgumentParser
import Bundle
import CommandSupport
import Settings
import TargetSetup

/// The program's command line.
struct TargetSetupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "target-setup",
    abstract: "Turn a machine without internet into the mirror that kubespray installs from.",
    usage: """
      target-setup [OPTIONS] all | STEP...
      target-setup doctor | status | next | config [OPTIONS]
      target-setup undo [OPTIONS] all | STEP...
      target-setup certificate | login [OPTIONS]
      target-setup upload [OPTIONS] --to URL [FOLDER]
      target-setup merge [OPTIONS] DIR [--into NEW]
      target-setup inventory [OPTIONS]
      target-setup prune [OPTIONS] [--drop RELEASE]... [--apply]
      target-setup join [OPTIONS] MEDIA... --into DIR
      """,
    discussion: """
      The steps, in the order in which "all" takes them:

      \(StepName.all.map(line).joined(separator: "\n"))

      Only when it is asked for by name, or the bundle was made with
      ansible_in_container:

      \(StepName.named.map(line).joined(separator: "\n"))

      Each step first looks whether it is done already. Whatever it changes is
      written to a journal below /var/lib/kubespray-offline before it is changed:
      a run that was stopped goes on when the same command is given again, and
      "undo STEP" gives back exactly what was there before.

      Examples:
        sh ./target-setup all                 everything, on a fresh machine
        sh ./target-setup doctor              what is wrong with this machine
        sh ./target-setup status              what is done, what is served where
        sh ./target-setup next                what to type to deploy or upgrade
        sh ./target-setup all --address 10.0.0.5
        sh ./target-setup all --tls --login   serve over TLS, to the nodes alone
        sh ./target-setup load-push --registry harbor.example.com/k8s
        sh ./target-setup registry-client --registry 10.0.0.9:5000 --insecure
        sh ./target-setup undo all            take everything back
        sh ./target-setup prune --drop 2.29.1 what would be free without that release
        sh ./target-setup merge /media/usb    the next bundle, of this and a delta
        sh ./target-setup upload --to https://nexus.example.com/repository/raw

      Settings come from the bundle's config.yml, this machine's own
      /etc/kubespray-offline/config.yml, --config FILE, the environment and flags;
      the later wins. "config" shows each with its origin.

      Exit status: 0 done, 1 something failed, 2 wrong usage or configuration,
      130 interrupted.
      """,
    version: programVersion,
    subcommands: [
      RunCommand.self, DoctorCommand.self, StatusCommand.self, NextCommand.self, WatchCommand.self,
      UndoCommand.self,
      CertificateCommand.self,
      LoginCommand.self,
      UploadCommand.self, MergeCommand.self, InventoryCommand.self, JoinCommand.self, PruneCommand.self,
      ConfigCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  private static func line(_ step: StepName) -> String { "  \(step.rawValue.padded(to: 15)) \(step.summary)" }
}

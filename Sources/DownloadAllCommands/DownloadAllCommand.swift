import ArgumentParser
import Bundle
import CommandSupport
import DownloadAll
import Settings

/// The program's command line.
struct DownloadAllCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "download-all",
    abstract: "Fetch everything that kubespray needs for an offline installation, verified, into one folder.",
    usage: """
      download-all [OPTIONS] [STAGE...]
      download-all plan | config | doctor | verify | clean | fetch | pack [OPTIONS]
      download-all key | sign | compare | verify-bundle [OPTIONS]
      download-all add [OPTIONS] [image | package | file NAME...]
      download-all diff OLD NEW
      download-all delta --base OLD --to DIR [OPTIONS]
      download-all media --size SIZE --to DIR... [OPTIONS]
      """,
    discussion: """
      Without a stage, all stages run. A stage includes those that it needs:

      \(StageName.allCases.map { "  \($0.rawValue.padded(to: 10)) \($0.summary)" }.joined(separator: "\n"))

      Everything lands in outputs/, described by outputs/bundle.json. A run that
      was stopped, by Ctrl-C, a crash or a power cut, goes on where it was when
      the same command is given again.

      Examples:
        download-all doctor    what is wrong with this machine
        download-all plan      what would be fetched, and how much
        download-all           make the bundle
        download-all verify    read the bundle again and compare it
        download-all --kubespray-version 2.29.1
        download-all --inventory inventory/mycluster --selection enabled
        download-all repo --package-targets host,ubuntu-24.04
        download-all --refresh repo pypi     new versions of packages, now
        download-all images --from-cluster   what a running cluster uses, too
        download-all pack --format contrib   archives for kubespray's own scripts
        download-all key                     make a key for signing bundles
        download-all sign --key FILE         sign the bundle
        download-all add image quay.io/team/app:1   one more, to the bundle there is
        download-all diff OLD outputs        what is new since the last bundle
        download-all delta --base OLD/bundle.json --to DIR   that alone, to carry
        download-all media --size 4G --to DIR   over several sticks
        download-all clean --bundle          start over

      Settings come from config/config.yml, --config FILE, the environment and
      flags; the later wins. "download-all config" shows each with its origin.

      Exit status: 0 done, 1 something failed, 2 wrong usage or configuration,
      130 interrupted.
      """,
    version: programVersion,
    subcommands: [
      RunCommand.self, PlanCommand.self, ConfigCommand.self, VerifyCommand.self, CleanCommand.self,
      FetchCommand.self, PackCommand.self, KeyCommand.self, SignCommand.self, CompareCommand.self,
      AddCommand.self, DiffCommand.self, DeltaCommand.self, MediaCommand.self, VerifyBundleCommand.self,
      DoctorCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}

import ArgumentParser
import CommandSupport
import Console
import Files
import SystemPackage
import TargetSetup

/// Brings a folder into an HTTP store.
struct UploadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upload",
    abstract: "Put the files of a folder into Artifactory or any HTTP store that takes PUT.",
    discussion: """
      Every file of FOLDER (by default the bundle's files/) is put below URL, under
      its path in FOLDER. What is there is not sent: Artifactory and Nexus tell a
      checksum, other stores (WebDAV of nginx or Apache, S3) at least the size;
      small files are compared by content. Artifactory makes files of contents
      that it has without any transfer. Give the same command again to go on.

      Credentials come from the environment or from ~/.netrc, never from options:
        USERNAME and TOKEN   a user with a password or token
        TOKEN alone          an access token
        BASE_URL             the URL, if --to does not name one
      They are those of kubespray's contrib/offline/upload2artifactory.py. The
      certificate authorities are the system's, SSL_CERT_FILE's or --ca-file's;
      a proxy is taken from https_proxy.

      It needs no root and works on the machine with internet as well:
        sh outputs/target-setup upload --to https://artifactory.example.com/artifactory/kubespray
      Then set files_repo to that URL in the inventory.

      Exit status: 0 every file is in the store, 1 some are not, 2 wrong usage.
      """)

  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(
    name: .customLong("to"),
    help: .init(
      "The address below which the files go, with the repository's name. [BASE_URL]", valueName: "url"))
  var address: String?

  @Option(
    name: [.short, .long],
    help: .init(
      "The folder of the bundle, if it is not the one that this program lies in.", valueName: "dir"),
    completion: .directory)
  var bundle: String?

  @OptionGroup var trust: TrustOptions

  @Option(
    help: .init("The CA file (PEM) to check the store's certificate with.", valueName: "file"),
    completion: .file())
  var caFile: String?

  @Flag(help: "Do not check the store's certificate.")
  var insecure = false

  @Flag(name: [.customShort("n"), .long], help: "Ask the store and report what would be sent; send nothing.")
  var dryRun = false

  @Flag(help: "Send files even if the store has them already.")
  var force = false

  @Flag(help: "Treat the store as Artifactory even if a proxy hides that.")
  var artifactory = false

  @Option(help: .init("How many files are sent at once, 1 to 32.", valueName: "number"))
  var parallel = 6

  @Argument(
    help: .init("The folder; by default files/ of the bundle.", valueName: "folder"), completion: .directory)
  var folder: String?

  func validate() throws {
    guard (1...32).contains(parallel) else { throw ValidationError("--parallel is a number from 1 to 32") }
    guard let target else {
      throw ValidationError("name the destination: --to URL, or BASE_URL in the environment")
    }
    do {
      _ = try StoreAddress(target)
    } catch {
      throw ValidationError(error.description)
    }
  }

  private var target: String? {
    address ?? processEnvironment()["BASE_URL"].flatMap { $0.isEmpty ? nil : $0 }
  }

  func run() async throws {
    let environment = processEnvironment()
    let console = output.console()
    let store = try StoreAddress(target ?? "")
    let outputs = try SetupContext.bundleFolder(bundle.map { FilePath($0) }, environment)
    if folder == nil { try UploadPlan.admit(outputs, trust.policy) }
    let plan = try UploadPlan(folder: folder.map { FilePath($0) }, bundle: outputs)
    for remark in plan.remarks { console.emit(.message(.warning, remark, stage: FolderUpload.stage)) }
    if StoreCredential(environment) != nil, store.isReadable {
      console.emit(
        .message(
          .warning, "the password is sent without TLS to \(store.description)", stage: FolderUpload.stage))
    }
    var options = UploadOptions()
    options.parallel = parallel
    options.isDryRun = dryRun
    options.isForced = force
    options.isArtifactory = artifactory
    if let caFile { try SetupContext.checkAuthorityFile(FilePath(caFile)) }
    options.push = PushOptions(certificateAuthority: caFile.map { FilePath($0) }, isInsecure: insecure)
    let upload = try FolderUpload(plan, to: store, environment: environment, options: options) {
      console.emit($0)
    }
    let results = try await Interruption.watching(console) {
      try await withTicking(console) { try await upload.run() }
    }
    try show(results, store, console)
  }

  private func show(_ results: [UploadResult], _ store: StoreAddress, _ console: Console) throws {
    if output.json {
      try printJSON(results)
    } else {
      console.table(
        ["FILE", "SIZE", "SENT", "RESULT", "KNOWN BY"],
        results.map {
          [
            $0.path, ByteCount.format($0.size), ByteCount.format($0.sent), $0.outcome.rawValue,
            $0.isFailure ? "see below" : $0.detail,
          ]
        }, rightAligned: [1, 2])
    }
    let failures = results.filter { $0.outcome == .failed }
    for failure in failures {
      if let problem = failure.problem { console.emit(.problem(problem, stage: nil)) }
    }
    let notTried = results.count { $0.outcome == .notTried }
    let sent = ByteCount.format(results.reduce(0) { $0 + $1.sent })
    let present = results.count { [.present, .linked].contains($0.outcome) }
    guard failures.isEmpty, notTried == 0 else {
      console.finish(
        "\(failures.count) of \(counted(results.count, "file")) failed"
          + (notTried > 0 ? ", \(notTried) were not tried" : "")
          + ". Correct the cause and run the same command again; what has arrived is not sent again.")
      throw ExitCode(.failed)
    }
    if dryRun {
      let open = results.filter { $0.outcome != .present }
      let size = ByteCount.format(open.reduce(0) { $0 + $1.size })
      return console.finish("\(open.count) of \(counted(results.count, "file")) to be sent, at most \(size)")
    }
    console.finish(
      "\(counted(results.count, "file is", "files are")) at \(store.description), \(present) of them needed no transfer; \(sent) sent"
    )
  }
}

import SystemPackage

/// A program that pulls images, or several that read the same files.
protocol ContainerClient: Sendable {
  /// What it is called.
  var title: String { get }

  /// What it needs to know a registry. Changes nothing.
  ///
  /// - Returns: `nil` when it is not on this host.
  /// - Throws: An error that names a file of it that cannot be understood.
  func settings(_ registry: ClientRegistry, _ host: TargetHost, _ journal: Journal) async throws
    -> ClientSettings?

  /// What the client itself says against it that it can pull, once its settings are written; `nil` when it has nothing to
  /// say, or cannot be asked.
  func objection(to registry: ClientRegistry, _ host: TargetHost) async throws -> String?
}

extension ContainerClient {
  /// Nothing: this client cannot be asked.
  func objection(to registry: ClientRegistry, _ host: TargetHost) async throws -> String? { nil }
}

/// The files by which a client knows a registry.
struct ClientSettings: Sendable {
  /// A file as it is to be.
  struct File: Sendable, Equatable {
    let path: FilePath
    let bytes: [UInt8]
    /// Its permission bits, where it is new.
    var mode: UInt32 = 0o644
  }

  /// The files that are to be there with this content; those that are so already too.
  var files: [File] = []
  /// What is left to do by hand, for people.
  var remarks: [String] = []

  /// What is left to do where a client keeps its logins for each user.
  static func loginRemark(_ program: String, _ registry: String) -> String {
    "users of \(program) log in themselves: \(program) login \(registry); \"target-setup login\" shows name and password"
  }

  /// The CA's file in a folder of certificates: a file of that name that somebody else has put there stays as it is,
  /// because clients read all `*.crt` there.
  static func authority(
    _ bytes: [UInt8], in folder: FilePath, _ host: TargetHost, _ journal: Journal
  ) throws(StepError) -> File {
    let usual = folder.appending("ca.crt")
    if let present = try host.file(usual), present != bytes, !journal.writtenPaths.contains(usual) {
      return File(path: folder.appending("kubespray-offline.crt"), bytes: bytes)
    }
    return File(path: usual, bytes: bytes)
  }
}

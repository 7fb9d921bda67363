import Bundle
import Cache
import Concurrency
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// A flat repository of Debian packages: what is wanted, everything that needs, and an index over it.
public struct DebianRepository: Mirror {
  /// Its folder in `outputs/`, such as `debs/local`.
  public let folder: BundlePath
  let architectures: [Architecture]
  let wanted: [WantedPackage]
  let lists: DebianLists
  let signingKey: SigningKey
  private let logins: AptLogins

  private var target: PackageTarget { lists.target }

  /// Raised when the same inputs would give another resolution or index than before.
  private static let format = 4

  /// A repository.
  ///
  /// - Parameters:
  ///   - folder: Its folder in `outputs/`.
  ///   - architectures: The architectures that it is for, the main one first, whose packages the index at the top has.
  ///     With several, each has an index of its own in a folder of its name, for sources such as `deb URI $(ARCH)/`, over
  ///     the packages that lie in one place together.
  ///   - wanted: The packages that must be installable.
  ///   - lists: The package lists of the release that it is for.
  ///   - signingKey: The key to sign the index with.
  public init(
    folder: BundlePath, architectures: [Architecture], wanted: [WantedPackage], lists: DebianLists,
    signingKey: SigningKey
  ) {
    self.folder = folder
    self.architectures = architectures
    self.wanted = wanted
    self.lists = lists
    self.signingKey = signingKey
    logins = AptLogins(lists.host.etc)
  }

  /// What was asked for, from which sources, by which apt.
  ///
  /// - Throws: ``DebianRepositoryError``, ``SigningKeyError`` or `CommandError`.
  public func inputs() async throws -> String {
    let version = try await Command("apt-get", ["--version"]).output().prefix { $0 != "\n" }
    let origins = try architectures.map { try lists.fingerprint($0) }
    let names = Set(wanted.map { "\($0.name) \($0.isRequired) \($0.origin)" }).sorted()
    return [
      "debian \(Self.format)", "\(target) \(architectures.names)", String(version),
      "key " + (try await signingKey.identity()),
      names.joined(separator: "\n"), Set(origins).sorted().joined(separator: "\n"),
    ].joined(separator: "\n")
  }

  /// Release, architectures and packages.
  public func asked() -> [String] { wanted.lines(for: target, architectures) }

  /// With the login that apt would use there.
  public func address(of file: MirrorResolution.File) -> String { logins.adding(to: file.url) }

  /// What the solver decided for one architecture.
  private struct Part {
    var packages: [(file: MirrorResolution.File, paragraph: String)] = []
    var warnings: [String] = []
    /// The time of the newest lists, in seconds since 1970.
    var time: Int64 = 0
  }

  /// Takes the package lists and asks apt's solver which packages are needed, for each architecture by itself.
  ///
  /// - Throws: ``DebianRepositoryError``, `CommandError` or `FileError`; for several architectures ``ArchitecturesFailed``.
  public func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution {
    let parts = try await architectures.concurrently(say) { try await part($0, $1) }
    var files: [MirrorResolution.File] = []
    var paragraphs: [String] = []
    var places: [String: Int] = [:]
    for (architecture, part) in zip(architectures, parts) {
      for (file, paragraph) in part.packages {
        var (file, paragraph) = (file, paragraph)
        if let place = places[file.path] {
          guard files[place].digest != file.digest else {
            files[place].isOptional = files[place].isOptional && file.isOptional
            continue
          }
          // Two sources built a package for all architectures each for itself.
          let own = "pkgs/\(architecture.rawValue)/" + file.path.dropFirst("pkgs/".count)
          paragraph = paragraph.replacing("Filename: \(file.path)\n", with: "Filename: \(own)\n")
          file.path = own
        }
        places[file.path] = files.count
        files.append(file)
        paragraphs.append(paragraph)
      }
    }
    return MirrorResolution(
      files: files,
      notes: [
        DebianIndex.note: paragraphs.joined(separator: "\n"),
        DebianIndex.timeNote: String(parts.map(\.time).max() ?? 0),
      ],
      warnings: zip(architectures, parts).flatMap { architecture, part in
        part.warnings.map { architectures.count > 1 ? "\(architecture.rawValue): \($0)" : $0 }
      })
  }

  private func part(_ architecture: Architecture, _ say: @escaping @Sendable (String) -> Void) async throws
    -> Part
  {
    let fetched = try await lists.take(architecture, say)
    defer { withExtendedLifetime(fetched) {} }
    let (root, failures) = (fetched.root, fetched.failures)
    let fatal = failures.filter(\.isDistribution)
    guard fatal.isEmpty else {
      throw DebianRepositoryError.unreachable(target, reasons: fatal.map(\.reason))
    }
    let files = try await root.listFiles()
    let lists = try await offload { try PackageLists(files) }
    guard lists.count > 0 else { throw DebianRepositoryError.noPackages(target, architecture) }
    let closure = DebianClosure(
      target: target, solver: DebianSolver(root: root, lists: lists), unreachable: failures.map(\.reason))
    let found = try await closure.find(wanted, say)
    let unsigned = try await root.unsignedArchives()
    var part = Part()
    part.time = try root.newestRelease()
    for choice in found.choices {
      let paragraph = try closure.paragraph(choice)
      let path = Self.path(of: choice)
      let file = MirrorResolution.File(
        path: path, url: try Self.fetchable(choice), size: ByteSize.parse(paragraph["Size"]),
        digest: try paragraph.digest,
        isOptional: found.companions.contains(choice.name),
        isUnsigned: unsigned.contains { Self.isBelow(choice.url, $0) })
      part.packages.append((file, DebianIndex.paragraph(paragraph, path: path)))
    }
    let unreached = failures.map {
      "a package source\($0.file.map { " in \($0)" } ?? "") could not be read; nothing of it is in the repository of "
        + "\(target):\n" + $0.reason
    }
    say("\(counted(part.packages.count, "package")) for \(target)")
    part.warnings = unreached + found.warnings
    return part
  }

  /// Makes `Packages`, compressed too, `Release`, `InRelease` and `Release.gpg`, for several architectures also in a
  /// folder of each, and the public key.
  ///
  /// - Returns: The fingerprint of the key.
  /// - Throws: ``DebianRepositoryError``, ``SigningKeyError``, `CommandError` or `FileError`.
  @discardableResult public func makeIndex(
    of resolution: MirrorResolution, in content: FilePath, to destination: FilePath
  ) async throws -> String? {
    try await DebianIndex(target: target, architectures: architectures, signingKey: signingKey)
      .write(resolution, folder: folder, content: content, to: destination)
  }

  /// `pkgs/NAME_VERSION_ARCHITECTURE.deb`. FAT knows no colon, and a percent sign in a name would have to be escaped in
  /// addresses: so without the epoch, as Debian's own pools do.
  static func path(of choice: DebianSolver.Choice) -> String {
    let version =
      choice.version.firstIndex(of: ":").map { choice.version[$0...].dropFirst() } ?? choice.version[...]
    let safe = version.map { $0 == ":" ? "-" : String($0) }.joined()
    return "pkgs/\(choice.name)_\(safe)_\(choice.architecture).deb"
  }

  private static func isBelow(_ url: String, _ archive: String) -> Bool {
    url.hasPrefix(archive.hasSuffix("/") ? archive : archive + "/")
  }

  private static func fetchable(_ choice: DebianSolver.Choice) throws -> String {
    for scheme in ["http:", "https:", "file:"] where choice.url.hasPrefix(scheme) { return choice.url }
    if choice.url.hasPrefix("copy:") { return "file:" + choice.url.dropFirst(5) }
    throw DebianRepositoryError.unsupportedAddress(package: choice.name, url: choice.url)
  }
}

/// Who vouches for a file's bytes: the weaker of whose digest they were compared with, and how that digest came.
public enum Verification: String, Sendable, Codable, CaseIterable {
  /// The id of the files of the kubespray release, which this program knows.
  case kubesprayRelease = "kubespray-release"
  /// The checksum in kubespray's own `checksums.yml`.
  case kubesprayChecksum = "kubespray-checksum"
  /// The same of a kubespray that came without TLS: whoever sits on the way can choose it.
  case kubesprayPlainHTTP = "kubespray-plain-http"
  /// The checksum in a package repository's metadata, which are signed or came over TLS.
  case repositoryMetadata = "repository-metadata"
  /// The checksum in metadata that no signature proves: of a source that is trusted by its address, or without TLS.
  case unsignedRepository = "unsigned-repository"
  /// The digest by which a registry names it, over TLS; or the one in the reference.
  case registryDigest = "registry-digest"
  /// The digest by which a registry names it that was asked without TLS: whoever sits on the way can choose it.
  case registryPlainHTTP = "registry-plain-http"
  /// The checksum that the user gave with the URL.
  case givenChecksum = "given-checksum"
  /// Nobody published a checksum: the server's TLS certificate alone.
  case tlsOnly = "tls-only"
  /// Fetched without TLS and without a checksum: nobody.
  case none
  /// The user gave it.
  case local
  /// This program wrote it.
  case generated

  /// Whose digest the bytes were compared with.
  public enum DigestSource: Sendable, CaseIterable {
    /// Kubespray's `checksums.yml`.
    case kubespray
    /// The metadata of a repository of packages, charts or wheels.
    case repository
    /// A registry, for a name that has no digest in it.
    case registry
    /// The user, who has it from elsewhere.
    case user
    /// Nobody's: there is none.
    case nobody
  }

  /// How the digest came, or the bytes where there is none.
  public enum Channel: Sendable, CaseIterable {
    /// Signed, over TLS, or not over a network at all.
    case proved
    /// As anybody on the way could have changed it.
    case open

    /// The channel of a URL.
    public init(url: String) {
      let url = url.lowercased()
      self = ["https://", "ssh://", "file:"].contains(where: url.hasPrefix) ? .proved : .open
    }
  }

  /// What stands behind bytes.
  public init(_ source: DigestSource, over channel: Channel) {
    switch (source, channel) {
    case (.kubespray, .proved): self = .kubesprayChecksum
    case (.kubespray, .open): self = .kubesprayPlainHTTP
    case (.repository, .proved): self = .repositoryMetadata
    case (.repository, .open): self = .unsignedRepository
    case (.registry, .proved): self = .registryDigest
    case (.registry, .open): self = .registryPlainHTTP
    // It proves the bytes whatever way these come.
    case (.user, _): self = .givenChecksum
    case (.nobody, .proved): self = .tlsOnly
    case (.nobody, .open): self = .none
    }
  }

  /// What stands behind a URL for which nobody published a checksum.
  public init(withoutChecksum url: String) {
    self = url.lowercased().hasPrefix("https://") ? .tlsOnly : .none
  }

  /// A few words for tables.
  public var summary: String {
    switch self {
    case .kubesprayRelease: "known release"
    case .kubesprayChecksum: "kubespray checksum"
    case .kubesprayPlainHTTP: "kubespray without TLS"
    case .repositoryMetadata: "repository metadata"
    case .unsignedRepository: "unsigned repository"
    case .registryDigest: "registry digest"
    case .registryPlainHTTP: "registry without TLS"
    case .givenChecksum: "your checksum"
    case .tlsOnly: "TLS only"
    case .none: "nothing"
    case .local: "given by you"
    case .generated: "written here"
    }
  }
}

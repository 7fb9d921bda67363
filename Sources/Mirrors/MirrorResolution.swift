import Integrity

/// What a solver decided: the files of a mirror, each with where it comes from and what its bytes must hash to.
public struct MirrorResolution: Sendable, Codable, Equatable {
  /// A file of a mirror.
  public struct File: Sendable, Codable, Equatable {
    /// Its place below the mirror's folder, such as `pkgs/curl_7.88.1-10+deb12u8_amd64.deb`.
    public var path: String
    /// Where it is fetched from: an `http`, `https` or, for what lies on this machine, `file` URL.
    public var url: String
    /// Its size in bytes, where the metadata tells one that can be.
    public var size: Int64?
    /// The digest in the metadata.
    public var digest: Digest?
    /// Whether the mirror is of use without it: nothing that was asked for needs the file.
    public var isOptional: Bool
    /// Whether nothing proves the metadata that have the digest: no signature, and for repositories that are not signed
    /// no TLS either, or a source that was declared as trusted by its address.
    public var isUnsigned: Bool?

    /// A file of a mirror.
    public init(
      path: String, url: String, size: Int64? = nil, digest: Digest? = nil, isOptional: Bool = false,
      isUnsigned: Bool? = nil
    ) {
      self.path = path
      self.url = url
      self.size = ByteSize.checked(size)
      self.digest = digest
      self.isOptional = isOptional
      self.isUnsigned = isUnsigned
    }
  }

  /// The files to fetch.
  public var files: [File]
  /// What the index needs beside the files, by name: vendor keys, module metadata, attributes of Python files.
  public var notes: [String: String]
  /// What the user should know, though it does not stop the job.
  public var warnings: [String]

  /// A resolution.
  public init(files: [File], notes: [String: String] = [:], warnings: [String] = []) {
    self.files = files
    self.notes = notes
    self.warnings = warnings
  }
}

import Registry
import Transfer

// As in MachineErrors.swift, for errors of servers and of what they serve.

extension TransferError {
  /// The kind of problem.
  public var problemKind: String { kind.code }
}

extension RegistryError {
  /// The kind of problem.
  public var problemKind: String { kind.code }
  /// What it happened to.
  public var subject: String? { image }
  /// What went wrong.
  public var fact: String { detail }
}

extension CredentialError {
  /// The kind of problem.
  public var problemKind: String { "credentials" }
  /// What it happened to.
  public var subject: String? { source }
  /// What went wrong.
  public var fact: String { reason }
}

extension ImageArchiveError {
  /// The kind of problem.
  public var problemKind: String {
    switch self {
    case .noImageLayout, .noImages: "not-an-image-archive"
    case .unusable, .unusableImage: "unusable-archive"
    case .nameless, .misnamed: "nameless-image"
    case .damaged, .otherDigest: "digest-mismatch"
    case .incomplete: "incomplete-archive"
    }
  }
}

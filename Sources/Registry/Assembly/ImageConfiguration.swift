import FoundationEssentials
import Integrity

/// What an image says of how it is run and what it is made of (OCI image-spec, config.md; Docker's configuration has
/// the same fields). What is not named here, such as ports and volumes, an image of ours has no use for.
struct ImageConfiguration: Sendable, Equatable, Codable {
  /// How a container of it is started.
  struct Execution: Sendable, Equatable, Codable {
    var user: String?
    /// `NAME=VALUE`.
    var environment: [String]?
    var entrypoint: [String]?
    var command: [String]?
    var workingDirectory: String?
    var labels: [String: String]?

    private enum CodingKeys: String, CodingKey {
      case user = "User"
      case environment = "Env"
      case entrypoint = "Entrypoint"
      case command = "Cmd"
      case workingDirectory = "WorkingDir"
      case labels = "Labels"
    }
  }

  /// The layers, by the digests of their content before it was compressed.
  struct Layers: Sendable, Equatable, Codable {
    var type = "layers"
    var diffIDs: [Digest]

    private enum CodingKeys: String, CodingKey {
      case type
      case diffIDs = "diff_ids"
    }
  }

  /// A step by which it was made.
  struct History: Sendable, Equatable, Codable {
    var created: String?
    var createdBy: String?
    var author: String?
    var comment: String?
    var isEmptyLayer: Bool?

    private enum CodingKeys: String, CodingKey {
      case created
      case createdBy = "created_by"
      case author
      case comment
      case isEmptyLayer = "empty_layer"
    }
  }

  var created: String?
  var author: String?
  var architecture: String
  var os: String
  var variant: String?
  var config: Execution?
  var rootfs: Layers
  var history: [History]?

  /// Reads a configuration.
  ///
  /// - Throws: ``ManifestFormatError``.
  init(_ bytes: [UInt8]) throws(ManifestFormatError) {
    do {
      self = try JSONDecoder().decode(ImageConfiguration.self, from: Data(bytes))
    } catch {
      throw .malformed("its configuration cannot be understood (\(error))")
    }
  }

  var platform: Platform { Platform(os: os, architecture: architecture, variant: variant) }
}

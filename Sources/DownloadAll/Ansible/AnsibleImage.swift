import Bundle
import Kubespray
import Settings

/// The image from which the target runs Ansible, as the settings choose it.
enum AnsibleImage: Sendable, Equatable {
  /// One that a registry has.
  case fetched(ImageReference)
  /// One that is made here, of the wheels in the bundle.
  case assembled(ImageReference)

  /// What `python.ansible_image` says; `nil` when Ansible does not run in a container.
  ///
  /// - Throws: ``NoAnsibleImage`` for a version without a published image, or `ImageReferenceError`.
  init?(_ configuration: Configuration, _ version: KubesprayVersion) throws {
    guard configuration.python.ansibleInContainer else { return nil }
    switch configuration.python.ansibleImage {
    case Configuration.Python.assembled:
      guard !configuration.pypi.skip else {
        throw NothingToAssemble(origin: "\(configuration.origin(of: "pypi.skip"))")
      }
      self = .assembled(
        try ImageReference(
          registry: "localhost", repository: "kubespray-offline/ansible", tag: version.fileName))
    case let name?: self = .fetched(try ImageReference(name))
    case nil:
      guard let name = version.publishedImage else {
        throw NoAnsibleImage(
          version: version, origin: "\(configuration.origin(of: "python.ansible_in_container"))")
      }
      self = .fetched(try ImageReference(name))
    }
  }

  /// Its name.
  var reference: ImageReference {
    switch self {
    case .fetched(let reference), .assembled(let reference): reference
    }
  }

  /// Whether the settings ask for an image that is made here.
  static func isAssembled(_ configuration: Configuration) -> Bool {
    configuration.python.ansibleInContainer
      && configuration.python.ansibleImage == Configuration.Python.assembled
  }

  /// The packages of Debian and Ubuntu that Ansible wants beside its own, and whether it is of no use without.
  static let packages: [(name: String, isRequired: Bool)] = [
    ("openssh-client", true), ("sshpass", false), ("rsync", false),
  ]
}

/// An image is to be assembled of wheels that are left out.
struct NothingToAssemble: Error, CustomStringConvertible {
  let origin: String

  var description: String {
    "\(origin): pypi.skip leaves out the wheels of which python.ansible_image is to be assembled"
  }
}

/// Kubespray publishes no image for what is not a release.
struct NoAnsibleImage: Error, CustomStringConvertible {
  let version: KubesprayVersion
  let origin: String

  var description: String {
    "\(origin): kubespray publishes images for its releases only, not for \(version)"
  }
}

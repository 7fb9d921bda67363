import Bundle
import SystemPackage

/// A repository of packages that the bundle carries for one target: Debian's, RPM's or Python's.
///
/// It finds out which files belong in it and makes the index over them; it never fetches: the files become
/// artifacts, which one engine fetches and verifies.
public protocol Mirror: Sendable {
  /// Its folder in `outputs/`, such as `debs/local`.
  var folder: BundlePath { get }

  /// Everything that decides the resolution but the servers' state: what was asked for, for which target, from which
  /// sources, by which version of which tool. The same text means that an earlier resolution may be used again.
  ///
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func inputs() async throws -> String

  /// What was asked for, and for which target, a line each: another list means that an earlier resolution is not the
  /// answer, whatever the servers and tools are.
  ///
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func asked() throws -> [String]

  /// Asks the package client's own solver which files are needed.
  ///
  /// - Parameter say: Called with short lines about what is being done.
  /// - Throws: An error whose description names the thing, the cause (the solver's own reason) and the next action.
  func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution

  /// Makes the index over the files of a resolution.
  ///
  /// - Parameters:
  ///   - resolution: The files, every one of which lies in `content`, complete and verified; what is optional and could not
  ///     be had is left out of it.
  ///   - content: The folder of the mirror.
  ///   - destination: An empty folder for the files of the index, which are to be placed beside the content under
  ///     the same relative paths.
  /// - Returns: The fingerprint of the OpenPGP key that signs the index; `nil` where clients look at no signature, as
  ///   pip.
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func makeIndex(
    of resolution: MirrorResolution, in content: FilePath, to destination: FilePath
  ) async throws -> String?

  /// Where a file is fetched: its address, with the login that the package client would use there. What is remembered of a
  /// resolution has no such login.
  func address(of file: MirrorResolution.File) -> String
}

extension Mirror {
  /// The file's address as it stands in the resolution.
  public func address(of file: MirrorResolution.File) -> String { file.url }
}

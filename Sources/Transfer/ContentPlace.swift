import SystemPackage

/// A place for a download's bytes within something larger, such as an archive, instead of a file of their own.
///
/// One download uses it at a time, with one call after another.
public protocol ContentPlace: AnyObject, Sendable {
  /// The file that the place is in.
  var path: FilePath { get }

  /// Hands over what an earlier run has left here, from the first byte on. What it is worth, its digest will tell.
  func readKept(_ body: (UnsafeRawBufferPointer) throws -> Void) throws

  /// Writes the bytes that follow the `offset` bytes that are here.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws

  /// Forgets all bytes.
  func discard()

  /// All bytes are here, and proved.
  func complete()
}

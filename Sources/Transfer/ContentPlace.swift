import SystemPackage

/// A place for a download's bytes within something larger, such as an archive, instead of a file of their own.
///
/// One download uses it at a time, with one call after another.
public protocol ContentPlace: AnyObject, Sendable {
  /// The file that the place is in.
  var path: FilePath { get }

  /// Hands over what an earlier run has left here, from the first byte on. What it is worth, its digest will tell.
  func readKept(_ body: (UnsafeRawBufferPointer) throws -> Void) throws

  /// Writes bytes. Those that follow what is here are here from now on; those that lie further ahead only when they
  /// have been read.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws

  /// Hands over bytes that were written ahead and follow what is here.
  func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws

  /// Forgets all bytes.
  func discard()

  /// All bytes are here, and proved.
  func complete()
}

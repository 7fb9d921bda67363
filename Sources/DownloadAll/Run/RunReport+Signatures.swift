import Bundle
import Files

extension RunReport {
  /// How many of the images that this run carries their publishers have signed, and which not; `nil` where no registry
  /// was asked.
  public var upstreamSignatures: String? {
    let images = stages.flatMap(\.files).compactMap(\.image).filter { $0.isSigned != nil }
    guard !images.isEmpty else { return nil }
    let unsigned = images.filter { $0.isSigned == false }.map(\.reference).sorted()
    let all = counted(
      images.count, "image is signed by its publisher", "images are signed by their publishers")
    let sum = "\(images.count - unsigned.count) of \(all)"
    return unsigned.isEmpty
      ? sum : "\(sum); not signed: \(unsigned.map(\.description).joined(separator: ", "))"
  }
}

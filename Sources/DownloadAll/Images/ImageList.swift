import Bundle
import Files
import SystemPackage

/// An image that is to be in the bundle, and who asks for it.
struct ListedImage: Sendable {
  /// The image.
  let reference: ImageReference
  /// Where it is listed, for messages: a file and line, or a part of kubespray's catalog.
  let origin: String
  /// The choice that would need it; `nil` for what is needed.
  var choice: String?
}

/// A file with one image reference a line.
enum ImageList {
  /// Reads a list; blank lines and lines that begin with `#` are passed over.
  ///
  /// - Throws: ``ImageListError`` naming file and line.
  static func read(_ path: FilePath) throws -> [ListedImage] {
    let text: TypedText
    do {
      text = try TypedText(reading: path)
    } catch {
      throw ImageListError(place: path.string, reason: "it cannot be read: \(FileError.reason(error))")
    }
    var images: [ListedImage] = []
    for line in text.lines {
      let words = line.words
      guard let name = words.first else { continue }
      let place = "\(path) line \(line.number)"
      guard words.count == 1 else {
        throw ImageListError(place: place, reason: "more than one word in a line")
      }
      do {
        images.append(ListedImage(reference: try ImageReference(name), origin: place))
      } catch {
        throw ImageListError(place: place, reason: "\(error)")
      }
    }
    return images
  }

  /// The images of every `*.txt` file in a folder, which may be missing, in order of file names.
  ///
  /// - Throws: ``ImageListError``.
  static func readAll(in folder: FilePath) throws -> [ListedImage] {
    let names = try listFolder(ifPresent: folder)
    return try names.filter { $0.hasSuffix(".txt") }.sorted().flatMap { try read(folder.appending($0)) }
  }
}

/// A list of images that cannot be used.
struct ImageListError: Error, CustomStringConvertible {
  let place: String
  let reason: String

  var description: String { "\(place): \(reason)" }
}

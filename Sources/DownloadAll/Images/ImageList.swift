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
    let text: String
    do {
      text = try readText(path)
    } catch {
      throw ImageListError(place: path.string, reason: "it cannot be read: \(FileError.reason(error))")
    }
    var images: [ListedImage] = []
    let lines = text.split(
      omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let text = words.first, !text.hasPrefix("#") else { continue }
      do {
        guard words.count == 1 || words[1].hasPrefix("#") else {
          throw ImageListError(place: "", reason: "more than one word in a line")
        }
        images.append(
          ListedImage(reference: try ImageReference(String(text)), origin: "\(path) line \(index + 1)"))
      } catch let error as ImageListError {
        throw ImageListError(place: "\(path) line \(index + 1)", reason: error.reason)
      } catch {
        throw ImageListError(place: "\(path) line \(index + 1)", reason: "\(error)")
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

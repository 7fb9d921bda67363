import Bundle
import Files
import Integrity
import SystemPackage
import Transfer

/// A file to bring into a store.
struct UploadFile: Sendable {
  /// Its path below the folder, which it keeps in the store.
  let path: String
  /// The folder.
  let folder: FilePath
  /// Its size in bytes.
  let size: Int64
  /// What bundle.json says that it hashes to; `nil` for a file that is not in a bundle.
  let digest: Digest?

  /// Where it lies.
  var place: FilePath { folder.appending(FilePath(path).components) }

  /// Opens it; one of a bundle only where its manifest says that it lies, through no link.
  ///
  /// - Throws: `FileError`.
  func open() throws(FileError) -> FileDescriptor {
    digest == nil ? try openFile(place, .readOnly) : try openFile(FilePath(path), beneath: folder)
  }
}

/// The files of a folder, with what is known of them.
public struct UploadPlan: Sendable {
  /// The folder, an absolute path.
  let folder: FilePath
  /// The files, in order of their paths.
  let files: [UploadFile]
  /// Files that cannot be sent, with the reason.
  let problems: [(path: String, error: StepError)]
  /// What is to be known about the folder, for people.
  public let remarks: [String]

  /// Looks at a folder.
  ///
  /// - Parameters:
  ///   - folder: The folder; `nil` for `files` of the bundle.
  ///   - bundle: The bundle's folder.
  /// - Throws: ``StepError`` when there is no such folder; `ManifestError` when the bundle's own manifest cannot be used.
  public init(folder: FilePath?, bundle: FilePath) throws {
    let wanted = folder ?? bundle.appending("files")
    do {
      self.folder = try realPath(wanted)
    } catch {
      throw StepError("\(wanted): \(error.code)", folder == nil ? .bundleFolder : .uploadFolder)
    }
    var remarks: [String] = []
    let known = try Self.known(self.folder, isOwn: folder == nil, &remarks)
    var files: [UploadFile] = []
    var problems: [(path: String, error: StepError)] = []
    let names: [String]
    do {
      names = try BundleTree.files(below: self.folder)
    } catch {
      throw StepError("\(self.folder) cannot be read: \(FileError.reason(error))", .uploadFolder)
    }
    for name in names {
      let place = self.folder.appending(FilePath(name).components)
      if known != nil, IncompleteName.matches(name) {
        remarks.append("\(place) is an unfinished download; it is not sent")
        continue
      }
      if known?.isComplete == true, known?.files[name] == nil {
        problems.append((name, StepError("bundle.json does not list it", .removeUnexpected)))
        continue
      }
      let info: FileInfo
      do {
        info = try FileInfo(place, followsLinks: known?.files[name] == nil)
      } catch {
        problems.append((name, StepError("\(place): \(error.code)", .restore)))
        continue
      }
      switch info.kind {
      case .file: break
      case .folder:
        remarks.append("\(place) is a link to a folder; what is in that one is not sent")
        continue
      default:
        problems.append((name, StepError("\(place) is not a file", .restore)))
        continue
      }
      let size = info.size
      if let file = known?.files[name], file.size != size {
        problems.append(
          (name, StepError("it has \(size) bytes instead of \(file.size)", .recopy)))
        continue
      }
      files.append(
        UploadFile(path: name, folder: self.folder, size: size, digest: known?.files[name]?.sha256))
    }
    let present = Set(names)
    for name in (known?.files ?? [:]).keys.sorted() where !present.contains(name) {
      problems.append((name, StepError("bundle.json has it, and it is not there", .recopy)))
    }
    self.files = files
    self.problems = problems
    self.remarks = remarks
  }

  /// Sees that a bundle whose files are to be sent is one that this host takes.
  ///
  /// - Throws: An error that says why it does not; `ManifestError`.
  public static func admit(_ bundle: FilePath, _ policy: TrustPolicy) throws {
    _ = try policy.admit(bundle) { try ShellBundle(bundle, environment: [:]) != nil }
  }

  /// How many bytes all files have.
  var totalSize: Int64 { files.byteSum(of: \.size) }

  private struct Known {
    let files: [String: ManifestFile]
    /// Whether those are all.
    var isComplete = true
  }

  /// What the manifest of the bundle that the folder lies in says of the files in the folder, by their paths below it.
  private static func known(
    _ folder: FilePath, isOwn: Bool, _ remarks: inout [String]
  ) throws -> Known? {
    var outputs = folder
    var prefix = ""
    while true {
      do {
        if let manifest = try Manifest.load(from: outputs) {
          let pairs = manifest.files.compactMap { file -> (String, ManifestFile)? in
            let path = file.path.description
            return path.hasPrefix(prefix) ? (String(path.dropFirst(prefix.count)), file) : nil
          }
          return Known(files: Dictionary(pairs) { first, _ in first })
        }
      } catch {
        if isOwn { throw error }
        remarks.append("\(error); the files are hashed instead")
        return nil
      }
      if FileTree.exists(outputs.appending(Manifest.unfinishedFileName)) {
        remarks.append("the bundle in \(outputs) is not finished; what is there is sent")
        return Known(files: [:], isComplete: false)
      }
      guard let name = outputs.lastComponent else { break }
      prefix = "\(name.string)/\(prefix)"
      outputs = outputs.removingLastComponent()
    }
    if isOwn { remarks.append("there is no bundle.json beside \(folder); the files are hashed instead") }
    return nil
  }
}

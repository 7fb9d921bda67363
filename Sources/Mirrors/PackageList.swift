import Bundle
import Files
import Host
import SystemPackage

/// A package that somebody asked for.
public struct WantedPackage: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// Who asks for it, for people: `pkglist/debian/pkgs.txt line 12`.
  public let origin: String
  /// Whether its absence from the release is an error; else it is a warning that names the origin.
  public let isRequired: Bool

  /// A package that somebody asked for.
  public init(name: String, origin: String, isRequired: Bool = true) {
    self.name = name
    self.origin = origin
    self.isRequired = isRequired
  }
}

extension [WantedPackage] {
  /// What is asked for, a line each, in a fixed order and without who asks.
  func lines(for target: PackageTarget, _ architectures: [Architecture]) -> [String] {
    ["\(target) on \(architectures.names)"]
      + Set(map { $0.isRequired ? $0.name : "\($0.name), if there is one" }).sorted()
  }
}

/// The lists of packages that the bundle carries: names, one or several in a line, `#` for comments.
public enum PackageList {
  /// The packages for a target: those of `pkglist/FAMILY/*.txt` and `pkglist/FAMILY/VERSION/*.txt`.
  ///
  /// - Parameters:
  ///   - target: The release of a distribution, which gives FAMILY and VERSION.
  ///   - folder: The folder `pkglist`.
  /// - Throws: ``PackageListError``.
  public static func read(for target: PackageTarget, in folder: FilePath) throws(PackageListError)
    -> [WantedPackage]
  {
    var wanted: [WantedPackage] = []
    for name in [target.listFolder, "\(target.listFolder)/\(target.version)"] {
      let names: [String]
      do {
        names = try listFolder(ifPresent: folder.appending(name))
      } catch {
        throw .unreadable(error.path, reason: FileError.reason(error))
      }
      for file in names where file.hasSuffix(".txt") {
        let path = folder.appending(name).appending(file)
        let text: TypedText
        do {
          text = try TypedText(reading: path)
        } catch {
          throw .unreadable(path, reason: FileError.reason(error))
        }
        wanted += try parse(text, origin: "pkglist/\(name)/\(file)")
      }
    }
    guard !wanted.isEmpty else { throw .empty(folder.appending(target.listFolder)) }
    return wanted
  }

  /// The packages of one list.
  ///
  /// - Throws: ``PackageListError/badName(_:origin:)``.
  public static func parse(_ text: TypedText, origin: String) throws(PackageListError) -> [WantedPackage] {
    var wanted: [WantedPackage] = []
    for line in text.lines {
      let origin = "\(origin) line \(line.number)"
      for word in line.words {
        // No name has this character, so a comment may stand right behind one.
        let name = String(word.unicodeScalars.prefix { $0 != "#" })
        guard isName(name) else { throw .badName(name, origin: origin) }
        wanted.append(WantedPackage(name: name, origin: origin))
        if name != word { break }
      }
    }
    return wanted
  }

  /// Whether it is a name of Debian (policy 5.6.1) or of RPM; never an option or a pattern.
  private static func isName(_ text: String) -> Bool {
    text.utf8.first != UInt8(ascii: "-")
      && text.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || $0.properties.numericType != nil
            || "+-._".unicodeScalars.contains($0))
      }
  }
}

/// A list of packages that cannot be used.
public enum PackageListError: Error, CustomStringConvertible {
  /// No list has a package for the target.
  case empty(FilePath)
  /// The file cannot be read as UTF-8 text.
  case unreadable(FilePath, reason: String)
  /// A line is not the name of a package.
  case badName(String, origin: String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .empty(let folder): "\(folder) lists no packages"
    case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
    case .badName(let name, let origin):
      "\(origin): \"\(name)\" is not the name of a package"
    }
  }
}

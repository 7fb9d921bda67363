import CArchive

/// How a new archive is compressed.
public enum ArchiveCompression: Sendable, Equatable {
  /// Plain tar.
  case none
  /// gzip, level 0 (stored) to 9 (smallest); 6 is the usual one.
  case gzip(level: Int = 6)
  /// xz, level 0 to 9.
  case xz(level: Int = 6)
  /// Zstandard, level 1 to 19.
  case zstd(level: Int = 3)

  /// The level and those that exist; nil for plain tar.
  var level: (chosen: Int, allowed: ClosedRange<Int>)? {
    switch self {
    case .none: nil
    case .gzip(let level): (level, 0...9)
    case .xz(let level): (level, 0...9)
    case .zstd(let level): (level, 1...19)
    }
  }

  /// libarchive's name of the filter.
  var filterName: String? {
    switch self {
    case .none: nil
    case .gzip: "gzip"
    case .xz: "xz"
    case .zstd: "zstd"
    }
  }

  /// Gives a libarchive writer the filter. By its name it would bring along every filter that libarchive has.
  func addFilter(to writer: OpaquePointer) -> Int32 {
    switch self {
    case .none: archive_write_add_filter_none(writer)
    case .gzip: archive_write_add_filter_gzip(writer)
    case .xz: archive_write_add_filter_xz(writer)
    case .zstd: archive_write_add_filter_zstd(writer)
    }
  }
}

import Supply

extension DeltaError {
  /// The kind of problem.
  public var problemKind: String {
    switch self {
    case .noDelta, .malformed, .malformedList, .otherFormat, .incomplete: "delta"
    case .otherBase, .otherList: "other-bundle"
    case .damaged: "delta-damaged"
    case .bundleDamaged: "bundle-damaged"
    case .occupied, .overlapping: "folder"
    case .notEnoughSpace: "not-enough-space"
    }
  }
}

extension MediaError {
  /// The kind of problem.
  public var problemKind: String {
    switch self {
    case .noMedium, .malformed, .otherFormat, .damaged, .otherBytes: "medium"
    case .otherSet: "other-bundle"
    case .nothingToCarry: "unfinished-bundle"
    case .tooFewFolders, .noPart, .tooSmall: "media"
    case .lessRoom: "not-enough-space"
    case .occupied: "folder"
    }
  }
}

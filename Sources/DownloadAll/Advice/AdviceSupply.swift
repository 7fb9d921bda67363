import Console
import Diagnosis
import Supply

extension DeltaError: Advised {
  var fact: String {
    guard case .notEnoughSpace(let folder, let needed, let available) = self else { return "\(self)" }
    return
      "not enough space for \(folder): \(ByteCount.format(needed)) are needed and \(ByteCount.format(available)) are free"
  }

  var advice: String? {
    switch self {
    case .noDelta, .malformed, .incomplete, .damaged: "Make the delta again."
    case .malformedList: "Name the file that verify --missing has written."
    case .otherFormat: "Use the version that wrote it."
    case .otherBase: "Name the base that the delta is for."
    case .otherList: "Name the bundle that the list is about with --outputs."
    case .bundleDamaged: "Look for more with: download-all verify. download-all repairs it."
    case .occupied: "Name an empty folder, or one in which the same delta was begun, with --to."
    case .overlapping: "Name another folder with --to."
    case .notEnoughSpace: "Make room, or name a folder on another disk with --to."
    }
  }
}

extension MediaError: Advised {
  var fact: String {
    guard case .lessRoom(let folder, let needed, let available) = self else { return "\(self)" }
    return "\(folder) has room for \(ByteCount.format(available)), and \(ByteCount.format(needed)) go there"
  }

  var advice: String? {
    switch self {
    case .noMedium, .malformed, .damaged, .otherFormat: "Write it again: download-all media --part N."
    case .otherSet: "Keep the media of one set together."
    case .nothingToCarry: "Run download-all to its end, or name the folder of a delta with --from."
    case .tooFewFolders: "Name a folder for each with --to, or write one medium at a time: --part N."
    case .noPart: "--dry-run shows which there are."
    case .tooSmall: "Name a larger --size."
    case .lessRoom: "Name a smaller --size, or make room."
    case .occupied: "Empty it, or name another folder with --to."
    case .otherBytes: "Use another medium."
    }
  }
}

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
    case .noDelta: "Name the folder of the delta, or copy it again."
    case .malformed, .damaged: "Copy the delta again, or make it again: download-all delta."
    case .malformedList: "Name the file that verify --missing has written."
    case .otherFormat: "Use the target-setup of the version that wrote it."
    case .otherBase, .otherList:
      "Name the bundle that it is for with --bundle, or have a delta made for this one."
    case .bundleDamaged:
      "Nothing of this bundle was changed. List what is damaged with: target-setup verify --missing FILE. Then make a delta "
        + "that heals it: download-all delta --heal FILE."
    case .incomplete: "Make the delta again: download-all delta."
    case .occupied: "Name an empty folder, or the one in which this merge was begun, with --into."
    case .overlapping: "Name another folder with --into."
    case .notEnoughSpace: "Make room, or name a folder on another disk with --into."
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
    case .noMedium: "Name the folder in which \(MediaIndex.fileName) lies."
    case .malformed, .damaged, .otherBytes:
      "Try it in another reader, or have it made again: download-all media --part N."
    case .otherFormat: "Use the target-setup of the version that wrote it."
    case .otherSet: "Keep the media of one set together, or name another folder with --into."
    case .occupied: "Name an empty folder, or the one in which this was begun, with --into."
    case .nothingToCarry, .tooFewFolders, .noPart, .tooSmall, .lessRoom: nil
    }
  }
}

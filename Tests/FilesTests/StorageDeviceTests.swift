import SystemPackage
import TestSupport
import Testing

@testable import Files

/// On which devices files are read one after another.
@Suite struct StorageDeviceTests {
  let sys: TemporaryFolder

  init() throws {
    sys = try TemporaryFolder()
    try createDirectories(sys.path.appending("dev/block"))
  }

  /// A disk or partition as the kernel shows it, at the number 8:1 or another.
  private func add(_ folder: String, at number: String = "8:1") throws {
    try createDirectories(sys.path.appending("devices/\(folder)"))
    try sys.link("../../devices/\(folder)", at: "dev/block/\(number)")
  }

  private func isSequential(_ number: UInt64 = 0x801) -> Bool {
    StorageDevice(number: number, sys: sys.path).isSequential
  }

  @Test(arguments: ["0\n", "1\n"]) func aDiskThatTurnsIsReadInOrder(_ rotational: String) throws {
    try add("pci0/ata1/block/sda")
    try sys.write(rotational, to: "devices/pci0/ata1/block/sda/queue/rotational")
    #expect(isSequential() == (rotational == "1\n"))
  }

  @Test(arguments: ["0", "1"]) func ofAPartitionTheDiskIsAsked(_ rotational: String) throws {
    try add("pci0/ata1/block/sda/sda1")
    try sys.write(rotational, to: "devices/pci0/ata1/block/sda/queue/rotational")
    #expect(isSequential() == (rotational == "1"))
  }

  @Test func whatHangsOnUSBIsReadInOrderWhateverItSays() throws {
    try add("pci0/usb2/2-1/block/sdb/sdb1")
    try sys.write("0", to: "devices/pci0/usb2/2-1/block/sdb/queue/rotational")
    #expect(isSequential())
  }

  @Test func whatCanBeRemovedIsReadInOrder() throws {
    try add("pci0/mmc/block/mmcblk0/mmcblk0p1")
    try sys.write("1", to: "devices/pci0/mmc/block/mmcblk0/removable")
    #expect(isSequential())
  }

  @Test func anEncryptedStickIsAStick() throws {
    try add("virtual/block/dm-0", at: "253:0")
    try createDirectories(sys.path.appending("devices/pci0/usb1/block/sdb/sdb1"))
    try createDirectories(sys.path.appending("devices/virtual/block/dm-0/slaves"))
    try sys.link("../../../../pci0/usb1/block/sdb/sdb1", at: "devices/virtual/block/dm-0/slaves/sdb1")
    #expect(isSequential(0xfd00))
  }

  @Test func whatTheSystemDoesNotTellIsReadInParallel() throws {
    #expect(!isSequential() && !isSequential(0xfffff))
    #expect(!StorageDevice(under: sys.path.appending("no"), sys: sys.path).isSequential)
  }

  @Test func everyFileHasAPlaceInTheOrder() throws {
    for name in ["c", "a", "b"] { try sys.write("content of \(name)", to: name) }
    let paths = ["a", "no", "b", "c"].map { sys.path.appending($0) }
    let order = StorageDevice.order(paths)
    #expect(order.sorted() == [0, 1, 2, 3] && order.last == 1)
  }
}

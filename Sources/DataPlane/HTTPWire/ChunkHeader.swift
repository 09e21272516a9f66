// `chunk-size [ chunk-ext ] CRLF` (RFC 9112 7.1), one byte at a time, so that it may arrive in any
// pieces. Extensions are checked and dropped. The caller charges `byteCount` against its budget.

struct ChunkHeader: Sendable {
    private enum Stage: UInt8 {
        case size, spaceAfterSize
        case beforeName, name, spaceAfterName
        case beforeValue, value, quoted, escaped, afterValue
        case lineFeed, done
    }

    private(set) var size: UInt64 = 0
    /// Bytes of the line so far.
    private(set) var byteCount: UInt32 = 0
    private var digits: UInt8 = 0
    private var stage = Stage.size

    /// True when this byte ended the line.
    mutating func take(_ byte: UInt8) throws(WireError) -> Bool {
        byteCount &+= 1
        guard byteCount <= Limits.chunkOverheadBytes else { throw .chunkOverheadTooLarge }
        switch stage {
        case .size: try takeSize(byte)
        case .lineFeed:
            guard byte == 0x0A else { throw .bareCarriageReturn }
            stage = .done
        default: try takeExtension(byte)
        }
        return stage == .done
    }

    private mutating func takeSize(_ byte: UInt8) throws(WireError) {
        let value = ByteClass.hexValue(byte)
        if value < 16 {
            guard digits < Limits.chunkSizeDigits, size <= Limits.bodyBytes &>> 4
            else { throw .chunkSizeTooLarge }
            size = size &<< 4 | UInt64(value)
            digits &+= 1
            return
        }
        guard digits > 0 else { throw byte == 0x0A ? .bareLineFeed : .badChunkSize }
        switch byte {
        case 0x0D: stage = .lineFeed
        case 0x3B: stage = .beforeName
        case 0x20, 0x09: stage = .spaceAfterSize
        case 0x0A: throw .bareLineFeed
        default: throw .badChunkSize
        }
    }

    /// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`.
    private mutating func takeExtension(_ byte: UInt8) throws(WireError) {
        let isToken = ByteClass.isToken(byte)
        let isSpace = ByteClass.isSpace(byte)
        switch stage {
        case .beforeName where isToken, .name where isToken: stage = .name
        case .beforeValue where isToken, .value where isToken: stage = .value
        case .beforeName where isSpace, .beforeValue where isSpace: break
        case .spaceAfterName where isSpace, .afterValue where isSpace: break
        case .spaceAfterSize where isSpace: break
        case .name where isSpace: stage = .spaceAfterName
        case .value where isSpace: stage = .afterValue
        case .name where byte == 0x3D, .spaceAfterName where byte == 0x3D: stage = .beforeValue
        case .beforeValue where byte == 0x22: stage = .quoted
        case .quoted where byte == 0x22: stage = .afterValue
        case .quoted where byte == 0x5C: stage = .escaped
        case .quoted where ByteClass.isText(byte), .escaped where ByteClass.isText(byte):
            stage = .quoted
        default: try takeDelimiter(byte)
        }
    }

    /// `;` opens the next extension and CRLF ends the line, unless space alone came before it.
    private mutating func takeDelimiter(_ byte: UInt8) throws(WireError) {
        switch (stage, byte) {
        case (.name, 0x3B), (.value, 0x3B), (.spaceAfterSize, 0x3B),
            (.spaceAfterName, 0x3B), (.afterValue, 0x3B):
            stage = .beforeName
        case (.name, 0x0D), (.value, 0x0D), (.afterValue, 0x0D): stage = .lineFeed
        case (_, 0x0A): throw .bareLineFeed
        default: throw .badChunkExtension
        }
    }
}

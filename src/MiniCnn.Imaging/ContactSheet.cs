namespace MiniCnn.Imaging;

/// <summary>Pictures side by side on one, each under its title.</summary>
public static class ContactSheet
{
    const int Gap = 16, UnderTitle = 4;    // pixels

    /// <summary>Draws pictures row by row, as wide apart as the widest; long titles are broken at blanks. Grey if all of them are.</summary>
    /// <param name="tiles">Titles, which may be empty, and pictures of any size.</param>
    /// <param name="columns">How many stand in a row.</param>
    /// <param name="scale">Pixels on the sheet for each pixel of a picture, across and down.</param>
    /// <exception cref="ArgumentException">There are no pictures, or they would not fit an array.</exception>
    public static Picture Draw(IReadOnlyList<(string Title, Picture Picture)> tiles, int columns, int scale = 1)
    {
        ArgumentNullException.ThrowIfNull(tiles);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        if (tiles.Count == 0) throw new ArgumentException("there are no pictures to put on the sheet");
        columns = Math.Min(columns, tiles.Count);

        // A column is as wide as the widest picture and the longest word; a row as high as its longest title and its highest picture.
        int width = tiles.Max(tile => Math.Max(
            tile.Picture.Width * scale, tile.Title.Split(' ').Max(word => Font.Width(word, Drawing.Text))));
        List<string>[] titles = [.. tiles.Select(tile => Drawing.Wrap(tile.Title, width))];
        var rows = Enumerable.Range(0, tiles.Count).Chunk(columns).Select(row => (
            Tiles: row,
            Title: row.Max(i => titles[i].Count) is > 0 and int lines ? lines * Drawing.LinePitch + UnderTitle : 0,
            Picture: row.Max(i => tiles[i].Picture.Height * scale))).ToArray();
        Picture sheet = Drawing.NewSheet(
            2 * Drawing.Margin + columns * (width + Gap) - Gap, 2 * Drawing.Margin + rows.Sum(row => row.Title + row.Picture + Gap) - Gap);

        int top = Drawing.Margin;
        foreach ((int[] row, int titleHeight, int pictureHeight) in rows)
        {
            int below = top + titleHeight;
            foreach (int i in row)
            {
                int left = Drawing.Margin + (i - row[0]) * (width + Gap);
                Picture picture = tiles[i].Picture;
                int title = below - UnderTitle - titles[i].Count * Drawing.LinePitch;
                for (int line = 0; line < titles[i].Count; line++)
                    Font.Draw(sheet, left, title + line * Drawing.LinePitch, titles[i][line], Drawing.Text, Drawing.Ink);
                sheet.Paste(picture, left, below, scale);
                sheet.Frame(left, below, picture.Width * scale, picture.Height * scale);
            }
            top = below + pictureHeight + Gap;
        }
        return tiles.All(tile => tile.Picture.Channels == 1) ? sheet.ToGrey() : sheet;
    }

    /// <summary>Two pictures side by side, their sizes, width × height, beside their titles.</summary>
    public static Picture Pair(string titleBefore, Picture before, string titleAfter, Picture after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        return Draw([($"{titleBefore}, {before.Width}×{before.Height}", before), ($"{titleAfter}, {after.Width}×{after.Height}", after)], columns: 2);
    }
}

import { expect, test } from '@playwright/test';

const BROKEN = '/home/mai/Phim/broken upload.mp4';
const SCAN = '/home/mai/Ảnh/scan 1968.jpg';

const SAYS = {
  vi: { cause: 'Tệp thiếu bảng chỉ mục', lost: 'ghi chú riêng của hãng máy ảnh', quoted: '“gain maps”' },
  fr: { cause: 'Le fichier n’a pas d’index', lost: 'la note du fabricant', quoted: '« gain maps »' },
};

for (const [language, says] of Object.entries(SAYS)) {
  test(`what the program says is said in the language of the window: ${language}`, async ({ page }) => {
    await page.goto(`/?${new URLSearchParams({ language, theme: 'dark', tick: '20', files: [BROKEN, SCAN].join(',') })}`);
    await page.getByRole('option', { name: 'broken upload.mp4' }).click();
    const alert = page.getByRole('alert');
    await expect(alert).toContainText(says.cause);
    // Nothing of it is English but what is marked as that.
    await expect(alert).not.toContainText('cut off');
    await expect(alert.locator('[lang="en"]')).toHaveCount(0);
    await page.getByRole('option', { name: 'scan 1968.jpg' }).click();
    await expect(page.getByText(says.lost)).toBeVisible();
    // What an older version noted has no words here, and is a quotation.
    await expect(page.getByText(says.quoted)).toBeVisible();
    await expect(page.locator('[lang="en"]', { hasText: 'gain maps' })).toBeVisible();
  });
}

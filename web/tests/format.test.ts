import { describe, expect, it } from 'vitest'
import { characters, moment, pieces, safeUrl, withoutSources } from '../src/shared/format'

describe('moment', () => {
  it.each([
    ['2026-11-24T17:30:00+08:00', '2026年11月24日 17:30'],
    ['2026-01-05T09:00:00.123456+08:00', '2026年1月5日 09:00'],
    ['2026-03-01', '2026年3月1日'],
    ['明天', '明天'],
    ['', ''],
  ])('writes %s as %s', (iso, words) => {
    expect(moment(iso)).toBe(words)
  })

  it('writes nothing where there is no time', () => {
    expect(moment(null)).toBe('')
    expect(moment(undefined)).toBe('')
  })
})

describe('pieces', () => {
  const kinds = (text: string) => pieces(text).map((piece) => `${piece.kind}:${piece.text}`)

  it('finds addresses and stops before Chinese text and closing punctuation', () => {
    expect(kinds('见https://example.com/a?b=1，或 http://x.cn/y。')).toEqual([
      'text:见',
      'url:https://example.com/a?b=1',
      'text:，或 ',
      'url:http://x.cn/y',
      'text:。',
    ])
    expect(kinds('(https://example.com/a).')).toEqual(['text:(', 'url:https://example.com/a', 'text:).'])
  })

  it('finds numbers to call, and leaves other digits alone', () => {
    expect(kinds('拨0571-20000000或13812345678')).toEqual(['text:拨', 'phone:0571-20000000', 'text:或', 'phone:13812345678'])
    expect(pieces('0571-20000000')[0]!.href).toBe('tel:057120000000')
    for (const other of ['编号330100138123456781', 'x13812345678', '0571-200000', '13812345678-1', '2026-11-21'])
      expect(kinds(other)).toEqual([`text:${other}`])
  })

  it('keeps an appeal number in one piece', () => {
    expect(kinds('编号QT20261121-0042。')).toEqual(['text:编号', 'number:QT20261121-0042', 'text:。'])
  })

  it('loses nothing and never makes another kind of link', () => {
    for (const text of ['javascript:alert(1)', '<script>alert(1)</script>', 'data:text/html,x', '', 'http://', '😀\n\n ']) {
      expect(
        pieces(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text)
      expect(pieces(text).some((piece) => piece.href)).toBe(false)
    }
  })
})

describe('safeUrl', () => {
  it('lets web addresses pass and nothing else', () => {
    expect(safeUrl('https://example.com')).toBe('https://example.com')
    expect(safeUrl('javascript:alert(1)')).toBeNull()
    expect(safeUrl(' https://example.com')).toBeNull()
    expect(safeUrl(null)).toBeNull()
  })
})

it('counts an emoji as one character', () => {
  expect(characters('好😀a')).toBe(3)
})

describe('withoutSources', () => {
  const citation = { document: '某手册', section: '一、范围' }

  it('drops the lines that name a cited source, and only those', () => {
    const text = '答案。\n来源：《某手册》一、范围\n来源：《别的文件》二\n更多。'
    expect(withoutSources(text, [citation])).toBe('答案。\n来源：《别的文件》二\n更多。')
    expect(withoutSources(text, [])).toBe(text)
  })
})
